"""Residual connections.

From book/chapters/14_residual_connections.md. Derived by `make notebooks`: do not edit.
"""

from torch import nn


class ResidualAdd(nn.Module):
    """x -> fn(x) + shortcut(x): a branch, and the way past it.

    fn: a module or function; what it returns must have the shape of the shortcut's.
    shortcut: a module or function, or None for x itself.
    Further keyword arguments of a call are handed to `fn`.
    Raises ValueError when the two shapes differ: nothing is broadcast.
    Source: He et al., Deep residual learning for image recognition (2016).
    """

    def __init__(self, fn, shortcut=None):
        super().__init__()
        self.fn = fn
        self.shortcut = shortcut

    def forward(self, x, **kwargs):
        branch = self.fn(x, **kwargs)
        shortcut = x if self.shortcut is None else self.shortcut(x)
        if branch.shape != shortcut.shape:
            raise ValueError(
                f"the branch has shape {tuple(branch.shape)}, "
                f"the shortcut {tuple(shortcut.shape)}: they must be equal"
            )
        return branch + shortcut


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut, the twin of torchvision's BasicBlock.

    (N, inplanes, H, W) -> (N, planes, H / stride, W / stride), rounded up.
    downsample: the module of the shortcut; None for the identity, which needs
        stride 1 and inplanes == planes.
    norm_layer: called with a number of channels; None for batch normalization.
    Raises ValueError for groups or base_width that it does not have, and
    NotImplementedError for a dilation above 1.
    Source: He et al. (2016), and torchvision.models.resnet.
    """

    expansion = 1  # output channels per plane
    parts = nn  # where the layers come from; a subclass may name another place

    def __init__(
        self, inplanes, planes, stride=1, downsample=None,
        groups=1, base_width=64, dilation=1, norm_layer=None,
    ):
        super().__init__()
        nn = self.parts
        norm_layer = norm_layer or nn.BatchNorm2d
        if groups != 1 or base_width != 64:
            raise ValueError(
                "BasicBlock has groups=1 and base_width=64 only, "
                f"got groups={groups}, base_width={base_width}"
            )
        if dilation > 1:
            raise NotImplementedError(
                f"BasicBlock has dilation=1 only, got dilation={dilation}"
            )
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, padding=1, bias=False)
        self.bn1 = norm_layer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = norm_layer(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        branch = self.relu(self.bn1(self.conv1(x)))
        branch = self.bn2(self.conv2(branch))
        return self.relu(branch + shortcut)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions and a shortcut, the twin of torchvision's.

    (N, inplanes, H, W) -> (N, 4 * planes, H / stride, W / stride), rounded up.
    The middle has int(planes * base_width / 64) * groups channels, and the stride.
    downsample, norm_layer: as in BasicBlock.
    Source: He et al. (2016), and torchvision.models.resnet ("v1.5").
    """

    expansion = 4
    parts = nn

    def __init__(
        self, inplanes, planes, stride=1, downsample=None,
        groups=1, base_width=64, dilation=1, norm_layer=None,
    ):
        super().__init__()
        nn = self.parts
        norm_layer = norm_layer or nn.BatchNorm2d
        width = int(planes * (base_width / 64.0)) * groups
        outplanes = planes * self.expansion
        middle = dict(padding=dilation, dilation=dilation, groups=groups)
        self.conv1 = nn.Conv2d(inplanes, width, 1, bias=False)
        self.bn1 = norm_layer(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, bias=False, **middle)
        self.bn2 = norm_layer(width)
        self.conv3 = nn.Conv2d(width, outplanes, 1, bias=False)
        self.bn3 = norm_layer(outplanes)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        branch = self.relu(self.bn1(self.conv1(x)))
        branch = self.relu(self.bn2(self.conv2(branch)))
        branch = self.bn3(self.conv3(branch))
        return self.relu(branch + shortcut)


class ResNet(nn.Module):
    """Images (N, 3, H, W) -> scores (N, num_classes), the twin of torchvision's.

    block: BasicBlock or Bottleneck. layers: the number of blocks in each of 4 stages.
    groups, width_per_group: of the bottlenecks. norm_layer: as in BasicBlock.
    replace_stride_with_dilation: three bools, for stages 2, 3 and 4; None for none.
    Raises ValueError when these are not three.
    Source: He et al. (2016), and torchvision.models.resnet.
    """

    parts = nn

    def __init__(
        self, block, layers, num_classes=1000, zero_init_residual=False, groups=1,
        width_per_group=64, replace_stride_with_dilation=None, norm_layer=None,
    ):
        super().__init__()
        nn = self.parts
        dilate = replace_stride_with_dilation or [False, False, False]
        if len(dilate) != 3:
            raise ValueError(
                "replace_stride_with_dilation should be None or three bools, "
                f"got {replace_stride_with_dilation}"
            )
        self._norm_layer = norm_layer or nn.BatchNorm2d
        self.inplanes, self.dilation = 64, 1
        self.groups, self.base_width = groups, width_per_group
        self.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = self._norm_layer(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], 2, dilate[0])
        self.layer3 = self._make_layer(block, 256, layers[2], 2, dilate[1])
        self.layer4 = self._make_layer(block, 512, layers[3], 2, dilate[2])
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        self._initialize(zero_init_residual)

    def _make_layer(self, block, planes, blocks, stride=1, dilate=False):
        """One stage: its first block has the stride and, where needed, a projection."""
        nn, norm_layer = self.parts, self._norm_layer
        outplanes, dilation = planes * block.expansion, self.dilation
        if dilate:  # spread the kernels of all blocks but the first
            self.dilation, stride = self.dilation * stride, 1
        downsample = None
        if stride != 1 or self.inplanes != outplanes:
            project = nn.Conv2d(self.inplanes, outplanes, 1, stride, bias=False)
            downsample = nn.Sequential(project, norm_layer(outplanes))
        shared = dict(groups=self.groups, base_width=self.base_width)
        shared |= dict(norm_layer=norm_layer)
        first = dict(dilation=dilation, **shared)
        stage = [block(self.inplanes, planes, stride, downsample, **first)]
        self.inplanes = outplanes
        for _ in range(1, blocks):
            stage.append(block(outplanes, planes, dilation=self.dilation, **shared))
        return nn.Sequential(*stage)

    def _initialize(self, zero_init_residual):
        nn = self.parts
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                how = dict(mode="fan_out", nonlinearity="relu")
                nn.init.kaiming_normal_(module.weight, **how)
            elif isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
        for module in self.modules() if zero_init_residual else ():
            if isinstance(module, (BasicBlock, Bottleneck)):
                last = module.bn2 if isinstance(module, BasicBlock) else module.bn3
                if last.weight is not None:
                    nn.init.zeros_(last.weight)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def resnet18(*, num_classes=1000, **options):
    """ResNet-18: two basic blocks in each stage, with random weights."""
    return ResNet(BasicBlock, [2, 2, 2, 2], num_classes, **options)


def resnet50(*, num_classes=1000, **options):
    """ResNet-50: 3, 4, 6 and 3 bottlenecks, with random weights."""
    return ResNet(Bottleneck, [3, 4, 6, 3], num_classes, **options)
