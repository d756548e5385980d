"""The layers that the course builds.

`from scratch import nn, functional as F` gives them in the place of torch's. Derived by `make notebooks`: do not edit.
"""

from scratch import functional, nn

__all__ = ["functional", "nn"]
