# The setup cell of every chapter. Run it first.
import itertools
import math

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import nn

torch.manual_seed(0)
plt.rcParams.update(
    {
        "figure.dpi": 150,
        "figure.facecolor": "white",
        "figure.constrained_layout.use": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
)

# Every device there is: the CPU, and the accelerator where one is present.
devices = [torch.device("cpu")]
if torch.accelerator.is_available():
    devices.append(torch.accelerator.current_accelerator())

# A GPU may compute float32 products in TF32, with 10 bits of mantissa instead of 23.
# That trades precision for speed and would hide real mistakes: turn it off.
torch.backends.cuda.matmul.fp32_precision = "ieee"
torch.backends.cudnn.conv.fp32_precision = "ieee"


def trace(layer, x):
    """Run `layer` forward and backward on `x`; return all that two twins must agree on:
    the output, the gradient of the input and of every parameter, and every buffer.

    The gradient that is sent back into the output differs from position to position, so
    that a gradient which arrives at the wrong position changes the result.
    """
    layer.zero_grad()
    x = x.detach().requires_grad_()
    output = layer(x)
    positions = torch.arange(1, output.numel() + 1, dtype=torch.float64)
    output.backward(torch.sin(positions).reshape(output.shape).to(output))
    seen = {"output": output.detach(), "grad input": x.grad}
    seen |= {
        f"grad {name}": parameter.grad.clone()
        for name, parameter in layer.named_parameters()
    }
    seen |= {f"buffer {name}": buffer.clone() for name, buffer in layer.named_buffers()}
    return seen
