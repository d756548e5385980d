# %% repaired_conv1d: mend the class instead of calling one
class RepairedConv1d(nn.Conv1d):
    pass


# %% repaired_conv1d: mend the class instead of calling one
class RepairedConv1d(HurriedConv1d):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, bias=False)
        bound = 1 / math.sqrt(in_channels * kernel_size)
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, input):
        return F.conv1d(input, self.weight, self.bias, self.stride, self.padding, self.dilation)


# %% conv1d_shift: build it from slices and products
def conv1d_shift(input, weight, bias=None, stride=1, padding=0, dilation=1):
    return F.conv1d(input, weight, bias, stride, padding, dilation)


# %% conv1d_shift: build it from slices and products
def conv1d_shift(input, weight, bias=None, stride=1, padding=0, dilation=1):
    padded = F.pad(input, (padding, padding))
    windows = padded.unfold(-1, dilation * (weight.shape[-1] - 1) + 1, stride)[..., ::dilation]
    output = torch.einsum("nclk,ock->nol", windows, weight)
    return output if bias is None else output + bias[:, None]


# %% conv1d_shift: add its product, and go on to the next tap
def conv1d_shift(input, weight, bias=None, stride=1, padding=0, dilation=1):
    padded, K = F.pad(input, (padding, padding)), weight.shape[-1]
    end = padded.shape[-1] - dilation * (K - 1)
    rows = torch.stack([padded[..., dilation * k : dilation * k + end : stride] for k in range(K)])
    output = torch.einsum("kncl,ock->nol", rows, weight)
    return output if bias is None else output + bias[:, None]


# %% conv1d_gradients: are all that is needed
def conv1d_gradients(grad_output, input, weight, padding=0, dilation=1):
    with torch.enable_grad():
        leaves = input.clone().requires_grad_(), weight.clone().requires_grad_()
        output = F.conv1d(*leaves, padding=padding, dilation=dilation)
    return torch.autograd.grad(output, leaves, grad_output)


# %% conv1d_gradients: are all that is needed
def conv1d_gradients(grad_output, input, weight, padding=0, dilation=1):
    grad_input = F.conv_transpose1d(grad_output, weight, padding=padding, dilation=dilation)
    grad_weight = F.conv1d(input.transpose(0, 1), grad_output.transpose(0, 1), padding=padding, stride=dilation)
    return grad_input, grad_weight.transpose(0, 1)
