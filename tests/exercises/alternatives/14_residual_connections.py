# %% predicted_numbers
predicted_numbers = [1.5**3, 0.0, 16, 96 // 32]


# %% shortcut_parameters
def shortcut_parameters(inplanes, planes, stride=1, expansion=1):
    """By building the shortcut and counting."""
    outplanes = planes * expansion
    shortcut = nn.Identity()
    if stride > 1 or outplanes != inplanes:
        convolution = nn.Conv2d(inplanes, outplanes, 1, stride, bias=False)
        shortcut = nn.Sequential(convolution, nn.BatchNorm2d(outplanes))
    return sum(parameter.numel() for parameter in shortcut.parameters())


# %% chain_gradients
def chain_gradients(grad_output, input, weights, scales):
    """By recursion, and by einsum."""
    if len(weights) == 0:
        return grad_output, [], scales.clone()
    t = torch.tanh(torch.einsum("ni,oi->no", input, weights[0]))
    rest = chain_gradients(grad_output, input + scales[0] * t, weights[1:], scales[1:])
    grad, grad_weights, grad_scales = rest
    inside = scales[0] * grad / torch.cosh(torch.einsum("ni,oi->no", input, weights[0])) ** 2
    mine = torch.einsum("no,ni->oi", inside, input)
    own = torch.einsum("no,no->", grad, t).view(1)
    return grad + torch.einsum("no,oi->ni", inside, weights[0]), [mine, *grad_weights], torch.cat([own, grad_scales])


# %% repaired_block
class RepairedBlock(nn.Module):
    """With ReLU as modules, an in-place sum into the branch, and the fitting shortcut asked for by shape."""

    def __init__(self, inplanes, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, kernel_size=3, stride=stride, padding="same" if stride == 1 else 1)
        self.conv1.bias = None
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, padding="same", bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = None
        if (inplanes, 1) != (planes, stride):
            layers = nn.Conv2d(inplanes, planes, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(planes)
            self.downsample = nn.Sequential(*layers)

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


# %% pre_activation_block
class PreActivationBlock(nn.Module):
    """Registers the missing shortcut as None, and keeps the branch in one variable."""

    def __init__(self, inplanes, planes, stride=1):
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(inplanes), nn.BatchNorm2d(planes)
        self.conv1 = nn.Conv2d(inplanes, planes, 3, padding=1, stride=stride, bias=False)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        needed = stride > 1 or inplanes != planes
        self.register_module("shortcut", nn.Conv2d(inplanes, planes, 1, stride, bias=False) if needed else None)

    def forward(self, x):
        out = F.relu(self.bn1(x))
        if self.shortcut is not None:
            x = self.shortcut(out)
        for layer in (self.conv1, self.bn2, nn.ReLU(), self.conv2):
            out = layer(out)
        return x.add(out)


# %% paths_by_length
def paths_by_length(slopes):
    """As the coefficients of the polynomial of z that is the product of the (1 + slope z)."""
    ways = [torch.ones_like(slopes.sum())]
    for slope in slopes:
        longer = [slope * way for way in ways]
        ways = [ways[0], *[a + b for a, b in zip(ways[1:], longer, strict=False)], longer[-1]]
    return torch.stack(ways)


# %% repaired_block
class RepairedBlock(nn.Module):
    """With nn.Identity as the shortcut that fits."""

    def __init__(self, inplanes, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = nn.Identity()
        if stride != 1 or inplanes != planes:
            conv = nn.Conv2d(inplanes, planes, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(planes))

    def forward(self, x):
        return F.relu(self.downsample(x) + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


# %% paths_by_length
def paths_by_length(slopes):
    """Two halves, multiplied as polynomials."""
    if len(slopes) < 2:
        return torch.cat([slopes.new_ones(1), slopes])
    middle = len(slopes) // 2
    first, second = paths_by_length(slopes[:middle]), paths_by_length(slopes[middle:])
    return F.conv1d(first[None, None], second.flip(0)[None, None], padding=len(second) - 1)[0, 0]
