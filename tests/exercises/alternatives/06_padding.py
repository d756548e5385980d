# %% predicted_rows
predicted_rows = [
    torch.tensor([3, 2, 1, 2, 3, 4, 5, 4]),
    (1.0, 1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 5.0),
    [*range(4, 6), *range(1, 6), 1],
    torch.tensor([2.0, 3.0, 4.0, 5.0, 0.0, 0.0]),
]


# %% pad_list
def pad_list(sides, dim):
    """Walks from the last axis forward, and stops at the first that is named."""
    named = {range(dim)[axis]: pair for axis, pair in sides.items()}
    flat = ()
    for axis in range(dim - 1, min(named, default=dim) - 1, -1):
        flat += tuple(named.get(axis, (0, 0)))
    return flat


# %% same_padding
def same_padding(length, kernel_size, stride=1, dilation=1):
    """By trying: one sample more, left and right in turn, until there are enough outputs."""
    left = right = 0
    while (length + left + right - dilation * (kernel_size - 1) - 1) // stride + 1 < math.ceil(length / stride):
        if left < right:
            left += 1
        else:
            right += 1
    return [left, right]


# %% same_padding
def same_padding(length, kernel_size, stride=1, dilation=1):
    """By the rest of the division, as TensorFlow's documentation has it."""
    span = (kernel_size - 1) * dilation + 1
    over = length % stride or stride
    total = max(span - over, 0)
    return (total // 2, (total + 1) // 2)


# %% pad_symmetric
def pad_symmetric(input, left, right):
    """Lays forward and backward copies side by side and cuts a piece out."""
    L = input.size(-1)
    turns = left // L + 1
    copies = [input if turn % 2 == 0 else input.flip(-1) for turn in range(-turns, right // L + 2)]
    return torch.cat(copies, dim=-1).narrow(-1, turns * L - left, left + L + right)


# %% pad_symmetric
def pad_symmetric(input, left, right):
    """A list of source indices, by walking."""
    L, source = input.shape[-1], []
    for j in range(-left, L + right):
        while not 0 <= j < L:
            j = -1 - j if j < 0 else 2 * L - 1 - j
        source.append(j)
    return torch.stack([input[..., i] for i in source], dim=-1)


# %% repaired_reflection
class RepairedReflectionPad2d(nn.Module):
    """One axis after the other, the right end counted from the back."""

    def __init__(self, padding):
        super().__init__()
        self.padding = [padding] * 4 if isinstance(padding, int) else padding

    def forward(self, input):
        for before, after in zip(self.padding[::2], self.padding[1::2], strict=True):
            input = input.mT  # the columns first, then the rows
            if not max(before, after) < input.shape[-2]:
                raise RuntimeError(f"{before} and {after} are too many")
            first = input[..., 1 : before + 1, :].flip(-2)
            last = input[..., -after - 1 : -1, :].flip(-2)
            input = torch.cat([first, input, last], -2)
        return input


# %% repaired_reflection
class RepairedReflectionPad2d(nn.Module):
    """By index maps, for rows and columns at once."""

    def __init__(self, padding):
        super().__init__()
        self.padding = (padding,) * 4 if isinstance(padding, int) else tuple(padding)

    @staticmethod
    def source(size, before, after):
        if before >= size or after >= size:
            raise RuntimeError(f"a mirror of {size} cannot show {before} and {after}")
        return [abs(j) if j < size else 2 * (size - 1) - j for j in range(-before, size + after)]

    def forward(self, input):
        left, right, top, bottom = self.padding
        columns = self.source(input.shape[-1], left, right)
        rows = self.source(input.shape[-2], top, bottom)
        return input[..., torch.tensor(rows)[:, None], torch.tensor(columns)]


# %% pad_gradient
def pad_gradient(grad_output, left, right, mode):
    """The product with a matrix of zeros and ones."""
    L = grad_output.shape[-1] - left - right
    matrix = grad_output.new_zeros(left + L + right, L)
    for j in range(-left, L + right):
        if 0 <= j < L or mode != "constant":
            source = {
                "constant": j,
                "replicate": min(max(j, 0), L - 1),
                "reflect": L - 1 - abs(L - 1 - abs(j)),
                "circular": j % L,
            }[mode]
            matrix[left + j, source] = 1
    return grad_output @ matrix


# %% pad_gradient
def pad_gradient(grad_output, left, right, mode):
    """Place by place, in a list of columns."""
    columns = list(grad_output.unbind(-1))
    L = len(columns) - left - right
    sums = columns[left : left + L]
    if mode == "constant":
        return torch.stack(sums, -1)
    for j in [*range(-left, 0), *range(L, L + right)]:
        if mode == "circular":
            i = j % L
        elif mode == "replicate":
            i = 0 if j < 0 else L - 1
        else:
            i = -j if j < 0 else 2 * L - 2 - j
        sums[i] = sums[i] + columns[left + j]
    return torch.stack(sums, -1)
