"""The layers that the course builds, and what trains and judges them.

`from scratch import nn, functional as F, optim, data` gives them in the place of torch's; `scratch.metrics` has
no twin in torch. Derived by `make notebooks`: do not edit.
"""

from scratch import data, functional, metrics, nn, optim

__all__ = ["data", "functional", "metrics", "nn", "optim"]
