"""The metrics that the course builds.

Derived by `make notebooks`: do not edit.
"""

__all__: list[str] = []
