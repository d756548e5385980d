# %% predicted_lengths
predicted_lengths = [24, 12, 16, 14]


# %% smallest_input
def smallest_input(outputs, kernel_size, stride=1, padding=0, dilation=1):
    """By trying: the first length that is enough."""
    length = 1
    while (length + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1 < outputs:
        length += 1
    return length


# %% repaired_conv1d
class RepairedConv1d(nn.Module):
    """Sums over taps, keeps its arguments by their names, and starts by torch's own rule."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, bias=True):
        super().__init__()
        self.stride, self.padding, self.dilation, self.kernel_size = stride, padding, dilation, kernel_size
        self.weight = nn.Parameter(torch.zeros(out_channels, in_channels, kernel_size))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if bias:
            limit = (in_channels * kernel_size) ** -0.5
            self.bias = nn.Parameter((2 * torch.rand(out_channels) - 1) * limit)
        else:
            self.register_parameter("bias", None)

    def forward(self, input):
        input = nn.ConstantPad1d(self.padding, 0.0)(input)
        last = input.shape[-1] - self.dilation * (self.kernel_size - 1)
        rows = [input[..., self.dilation * k : self.dilation * k + last : self.stride] for k in range(self.kernel_size)]
        output = torch.einsum("kncl,ock->nol", torch.stack(rows), self.weight)
        if self.bias is not None:
            output = output + self.bias.view(1, -1, 1)
        return output


# %% causal_conv1d
def causal_conv1d(input, weight, bias=None, dilation=1):
    """Pads both sides and cuts the right end off."""
    past = (weight.size(2) - 1) * dilation
    return F.conv1d(input, weight, bias, padding=past, dilation=dilation)[:, :, : input.size(2)]


# %% conv1d_shift
def conv1d_shift(input, weight, bias=None, stride=1, padding=0, dilation=1):
    """Adds in place into a prepared tensor."""
    N, C_in, L = input.shape
    C_out, _, K = weight.shape
    padded = torch.cat([input.new_zeros(N, C_in, padding), input, input.new_zeros(N, C_in, padding)], dim=2)
    L_out = math.floor((L + 2 * padding - dilation * (K - 1) - 1) / stride + 1)
    output = input.new_zeros(N, C_out, L_out)
    if bias is not None:
        output += bias.reshape(1, C_out, 1)
    for k in range(K):
        positions = dilation * k + stride * torch.arange(L_out)
        output = output + torch.einsum("oc,ncl->nol", weight[..., k], padded.index_select(2, positions))
    return output


# %% conv1d_gradients
def conv1d_gradients(grad_output, input, weight, padding=0, dilation=1):
    """The input's gradient over the fully padded gradient, cut to size afterwards."""
    N, C_in, L = input.shape
    full = F.conv1d(
        grad_output, weight.permute(1, 0, 2).flip(2), padding=dilation * (weight.size(2) - 1), dilation=dilation
    )
    grad_input = full[:, :, padding : padding + L]
    padded = F.pad(input, (padding, padding)).permute(1, 0, 2)
    grad_weight = F.conv1d(padded, grad_output.permute(1, 0, 2), stride=dilation)
    return [grad_input, grad_weight.permute(1, 0, 2)]
