# %% predicted_numbers
predicted_numbers = [5.0, 6, 16 * 5 * 5, 26 * 26]


# %% count
def count(network, shape):
    """On the meta device, with torch's own layers."""
    parameters = multiplications = 0
    with torch.device("meta"):
        x = torch.empty(1, *shape)
        for kind, *numbers in network:
            if kind == "pool":
                x = nn.MaxPool2d(*numbers)(x)
                continue
            if kind == "linear":
                x = x.flatten(1)
            layer = nn.Linear(x.shape[1], *numbers) if kind == "linear" else nn.Conv2d(x.shape[1], *numbers)
            x = layer(x)
            parameters += layer.weight.numel() + layer.bias.numel()
            multiplications += layer.weight.numel() * math.prod(x.shape[2:])
    return parameters, multiplications


# %% grey_weights
def grey_weights(state_dict, name="features.0.weight"):
    """With einsum, in a deep copy."""
    copy = {key: value.clone() for key, value in state_dict.items()}
    copy[name] = torch.einsum("ocab->oab", copy[name]).unsqueeze(1)
    return copy


# %% as_convolution
def as_convolution(linear, channels, height, width):
    """By loading a state_dict."""
    conv = nn.Conv2d(channels, linear.out_features, kernel_size=(height, width), bias=linear.bias is not None)
    conv = conv.to(linear.weight)
    state = {key: value.clone() for key, value in linear.state_dict().items()}
    state["weight"] = rearrange(state["weight"], "o (c h w) -> o c h w", c=channels, h=height)
    conv.load_state_dict(state)
    return conv


# %% repaired_lenet
class RepairedLeNet(nn.Sequential):
    """As one chain of layers."""

    def __init__(self, num_classes=10, in_channels=1):
        super().__init__(
            nn.Conv2d(in_channels, 6, 5),
            nn.Sigmoid(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.Sigmoid(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(256, 120),
            nn.Sigmoid(),
            nn.Linear(120, 84),
            nn.Sigmoid(),
            nn.Linear(84, num_classes),
        )


# %% repaired_lenet
class RepairedLeNet(HurriedLeNet):
    """The hurried one, mended in place; the maximum is taken before the sigmoid, which is the same."""

    def __init__(self, num_classes=10, in_channels=1):
        super().__init__()
        del self.fc
        self.convs = nn.ModuleList([nn.Conv2d(in_channels, 6, 5), nn.Conv2d(6, 16, 5)])
        self.fc1, self.fc2, self.fc3 = nn.Linear(256, 120), nn.Linear(120, 84), nn.Linear(84, num_classes)

    def forward(self, x):
        for conv in self.convs:
            x = F.max_pool2d(conv(x), 2).sigmoid()
        x = self.fc1(x.reshape(len(x), -1)).sigmoid()
        return self.fc3(self.fc2(x).sigmoid())


# %% joint_backward
def joint_backward(grad_output, features, weight, s):
    """One einsum for each gradient, over an axis for every index."""
    N, C, rows, columns = features.shape
    blocks = features.reshape(N, C, rows // s, s, columns // s, s)
    templates = weight.reshape(len(weight), C, rows // s, columns // s)
    spread = torch.einsum("nd,dchw->nchw", grad_output, templates) / s**2
    grad_features = spread[:, :, :, None, :, None].expand(-1, -1, -1, s, -1, s).reshape(features.shape)
    grad_weight = torch.einsum("nd,nchawe->dchw", grad_output, blocks).reshape(weight.shape) / s**2
    return [grad_features, grad_weight, torch.ones(N, dtype=grad_output.dtype) @ grad_output]


# %% joint_backward
def joint_backward(grad_output, features, weight, s):
    """The spreading by a Kronecker product with a block of ones."""
    pooled = F.avg_pool2d(features, s)
    grad_pooled = (grad_output @ weight).view_as(pooled) / s**2
    spread = torch.kron(grad_pooled, grad_pooled.new_ones(1, 1, s, s))
    return spread, torch.einsum("nd,nk->dk", grad_output, pooled.flatten(1)), grad_output.sum(0)


# %% as_convolution
def as_convolution(linear, channels, height, width):
    """New parameters in the place of the old ones."""
    conv = nn.Conv2d(channels, linear.out_features, (height, width), bias=False)
    conv.weight = nn.Parameter(linear.weight.detach().clone().unflatten(1, (channels, height, width)))
    if linear.bias is not None:
        conv.bias = nn.Parameter(linear.bias.detach().clone())
    return conv
