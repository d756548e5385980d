"""The layers that the course builds, and what trains them.

`from scratch import nn, functional as F, optim, data` gives them in the place of torch's. The other modules are the
chapters': `from scratch.metrics import f1_score`. Derived by `make notebooks`: do not edit.
"""

from scratch import data, functional, nn, optim

__all__ = ["data", "functional", "nn", "optim"]
