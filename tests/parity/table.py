"""The table: one row for every name that scratch exports, from the modules beside this one."""

from __future__ import annotations

from tests.parity import convolution, linear, normalization, optimizers, padding, parallel, pooling
from tests.parity.case import Row

ROWS: dict[str, Row] = {
    row.id: row
    for module in (linear, convolution, padding, pooling, normalization, parallel, optimizers)
    for row in module.ROWS
}
"""By name, as `nn.Conv2d`."""
