# %% pad_symmetric: torch's own padding does the work here
def pad_symmetric(input, left, right):
    twice = torch.cat([input, input.flip(-1)], dim=-1)
    L = input.shape[-1]
    ring = twice.reshape(1, -1, 2 * L)
    while ring.shape[-1] < 2 * L + 2 * (left + right + 2 * L):
        ring = F.pad(ring, (2 * L, 2 * L), mode="circular")
    start = (ring.shape[-1] - 2 * L) // 2 // (2 * L) * (2 * L) - left
    return ring[..., start : start + left + L + right].reshape(*input.shape[:-1], -1)


# %% repaired_reflection: mend the class instead of calling one
class RepairedReflectionPad2d(nn.ReflectionPad2d):
    pass


# %% repaired_reflection: mend the class instead of calling one
class RepairedReflectionPad2d(HurriedReflectionPad2d):
    def forward(self, input):
        return F.pad(input, self.padding, mode="reflect")


# %% pad_gradient: slices and sums are all that is needed
def pad_gradient(grad_output, left, right, mode):
    L = grad_output.shape[-1] - left - right
    x = torch.zeros(*grad_output.shape[:-1], L, dtype=grad_output.dtype, requires_grad=True)
    return torch.autograd.grad(F.pad(x, (left, right), mode), x, grad_output)[0]


# %% pad_gradient: slices and sums are all that is needed
def pad_gradient(grad_output, left, right, mode):
    L = grad_output.shape[-1] - left - right
    with torch.enable_grad():
        x = grad_output.new_zeros(*grad_output.shape[:-1], L).requires_grad_()
        output = F.pad(x, (left, right), mode)
    return torch.autograd.grad(output, x, grad_output)[0]


# %% pad_gradient: slices and sums are all that is needed
def pad_gradient(grad_output, left, right, mode):
    L = grad_output.shape[-1] - left - right
    j = torch.arange(-left, L + right)
    index = {
        "constant": j.where((j >= 0) & (j < L), L),
        "replicate": j.clamp(0, L - 1),
        "reflect": L - 1 - (L - 1 - j.abs()).abs(),
        "circular": j % L,
    }[mode]
    zeros = grad_output.new_zeros(*grad_output.shape[:-1], L + 1)
    return torch.index_add(zeros, -1, index, grad_output)[..., :L]
