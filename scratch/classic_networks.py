"""Classic networks.

From book/chapters/13_classic_networks.md. Derived by `make notebooks`: do not edit.
"""

import torch
from torch import nn


class LeNet(nn.Module):
    """LeNet with sigmoids: (N, 1, 28, 28) -> (N, 10), or any `in_channels`.

    Raises RuntimeError for pictures of which the last map is not 4x4.
    Source: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to
    document recognition, 1998; with the changes that teaching has made since.
    """

    def __init__(self, num_classes=10, in_channels=1):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(in_channels, 6, 5),
            nn.Sigmoid(),
            nn.MaxPool2d(2, 2),
            nn.Conv2d(6, 16, 5),
            nn.Sigmoid(),
            nn.MaxPool2d(2, 2),
        )
        self.fc = nn.Sequential(
            nn.Linear(16 * 4 * 4, 120),
            nn.Sigmoid(),
            nn.Linear(120, 84),
            nn.Sigmoid(),
            nn.Linear(84, num_classes),
        )

    def forward(self, x):
        x = self.conv(x)
        x = torch.flatten(x, 1)  # keep the batch axis
        return self.fc(x)


def layer_table(network, *shape):
    """One row for each layer, in the order in which they run: a list of tuples

        (name, class name, output shape, parameters, multiplications)

    for one input of `shape`, without the batch axis. Layers are the modules without
    children; a weight of two axes or more is multiplied once at each position.
    Runs the network once in evaluation mode, on the device of its parameters.
    """
    rows, hooks = [], []

    def note(name):
        def hook(layer, inputs, output):
            weight = getattr(layer, "weight", None)
            used = 0
            if weight is not None and weight.dim() >= 2:
                used = weight.numel() * output[0, 0].numel()  # positions: (H, W) or ()
            own = sum(parameter.numel() for parameter in layer.parameters())
            kind, out = type(layer).__name__, tuple(output.shape[1:])
            rows.append((name, kind, out, own, used))

        return hook

    for name, layer in network.named_modules():
        if not list(layer.children()):
            hooks.append(layer.register_forward_hook(note(name)))
    training, device = network.training, next(network.parameters()).device
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, *shape, device=device))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return rows


class AlexNet96(nn.Module):
    """AlexNet with 96 channels and no padding in its first layer: (N, C, 224, 224).

    Raises RuntimeError for pictures of which the last map is not 5x5; sides from 195
    to 226 fit.
    Source: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep
    convolutional neural networks, 2012, without its groups and normalization.
    """

    def __init__(self, num_classes=10, dropout=0.5, in_channels=1):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(in_channels, 96, 11, 4),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(96, 256, 5, 1, 2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(256, 384, 3, 1, 1),
            nn.ReLU(),
            nn.Conv2d(384, 384, 3, 1, 1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, 1, 1),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
        )
        self.fc = nn.Sequential(
            nn.Linear(256 * 5 * 5, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x):
        x = self.conv(x)
        x = torch.flatten(x, 1)
        return self.fc(x)


class AlexNet(nn.Module):
    """AlexNet, the twin of `torchvision.models.AlexNet`: (N, 3, H, W) -> (N, classes).

    H and W are at least 63; 224 is usual. dropout: a probability from 0 to 1.
    Raises ValueError for another dropout, RuntimeError for smaller pictures.
    Source: Krizhevsky, One weird trick for parallelizing convolutional neural
    networks, 2014, and torchvision's documentation of alexnet.
    """

    def __init__(self, num_classes=1000, dropout=0.5):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x):
        x = self.features(x)
        x = self.avgpool(x)
        x = torch.flatten(x, 1)
        return self.classifier(x)


def make_layers(cfg, batch_norm=False):
    """The features of a VGG: (N, 3, H, W) -> (N, last number, H', W').

    cfg: a list of channel counts, one for each 3x3 convolution, and "M" for a maximum
    of 2x2. Each "M" halves H and W and drops an odd row or column.
    Source: Simonyan and Zisserman, Very deep convolutional networks for large-scale
    image recognition, 2015, and torchvision.models.vgg.
    """
    layers, in_channels = [], 3
    for entry in cfg:
        if entry == "M":
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
            continue
        layers.append(nn.Conv2d(in_channels, entry, kernel_size=3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(entry))
        layers.append(nn.ReLU(inplace=True))
        in_channels = entry
    return nn.Sequential(*layers)


CONFIGS = {
    11: [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    13: [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    16: [64, 64, "M", 128, 128, "M", *[256] * 3, "M", *[512] * 3, "M", *[512] * 3, "M"],
    19: [64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"],
}


class VGG(nn.Module):
    """VGG, the twin of `torchvision.models.VGG`: (N, C, H, W) -> (N, num_classes).

    features: a module that ends with 512 channels, as `make_layers` makes it.
    init_weights: draw the weights as torchvision does; else each layer keeps its own.
    Raises ValueError for a dropout outside 0 to 1, RuntimeError for pictures so small
    (below 32 for the usual features) that a maximum has nothing left to read.
    Source: Simonyan and Zisserman, 2015, and torchvision's documentation of vgg16.
    """

    def __init__(self, features, num_classes=1000, init_weights=True, dropout=0.5):
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            for module in self.modules():
                self.reset(module)

    @staticmethod
    def reset(module):
        """Draw one layer's parameters as torchvision's VGG does."""
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
        else:
            return
        if module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, x):
        x = self.features(x)
        x = self.avgpool(x)
        x = torch.flatten(x, 1)
        return self.classifier(x)


def _vgg(depth, batch_norm, weights, kwargs):
    if weights is not None:
        kwargs["init_weights"] = False
    network = VGG(make_layers(CONFIGS[depth], batch_norm), **kwargs)
    if weights is not None:
        network.load_state_dict(weights)
    return network


def vgg11(*, weights=None, progress=True, **kwargs):
    """VGG-11; weights: a state_dict or None; progress is not used; kwargs of VGG."""
    return _vgg(11, False, weights, kwargs)


def vgg13(*, weights=None, progress=True, **kwargs):
    """VGG-13; weights: a state_dict or None; progress is not used; kwargs of VGG."""
    return _vgg(13, False, weights, kwargs)


def vgg16(*, weights=None, progress=True, **kwargs):
    """VGG-16; weights: a state_dict or None; progress is not used; kwargs of VGG."""
    return _vgg(16, False, weights, kwargs)


def vgg19(*, weights=None, progress=True, **kwargs):
    """VGG-19; weights: a state_dict or None; progress is not used; kwargs of VGG."""
    return _vgg(19, False, weights, kwargs)


def vgg11_bn(*, weights=None, progress=True, **kwargs):
    """VGG-11 with batch normalization; the arguments of `vgg11`."""
    return _vgg(11, True, weights, kwargs)


def vgg13_bn(*, weights=None, progress=True, **kwargs):
    """VGG-13 with batch normalization; the arguments of `vgg11`."""
    return _vgg(13, True, weights, kwargs)


def vgg16_bn(*, weights=None, progress=True, **kwargs):
    """VGG-16 with batch normalization; the arguments of `vgg11`."""
    return _vgg(16, True, weights, kwargs)


def vgg19_bn(*, weights=None, progress=True, **kwargs):
    """VGG-19 with batch normalization; the arguments of `vgg11`."""
    return _vgg(19, True, weights, kwargs)
