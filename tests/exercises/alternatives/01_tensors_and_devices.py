# %% predicted_strides
predicted_strides = [[1, 4, 12], [12, 2], [0, 4, 1], [1, 4]]


# %% memory_strides
def memory_strides(shape, order):
    """Lays such a tensor out, and asks torch."""
    laid_out = torch.empty([shape[axis] for axis in order])
    back = [list(order).index(axis) for axis in range(len(shape))]
    return laid_out.permute(back).stride()


# %% memory_strides
def memory_strides(shape, order):
    """Each stride is the product of the sizes behind it."""
    faster = {axis: order[k + 1 :] for k, axis in enumerate(order)}
    return [math.prod(shape[other] for other in faster[axis]) for axis in range(len(shape))]


# %% prepare
class Prepare(nn.Module):
    """Standardizes while the channels are last, and moves them at the end."""

    def __init__(self, mean, std):
        super().__init__()
        for name, values in {"mean": mean, "std": std}.items():
            self.register_buffer(name, torch.as_tensor(values))

    def forward(self, photographs):
        fractions = photographs.to(self.mean) / 255.0
        return rearrange((fractions - self.mean) / self.std, "n h w c -> n c h w")


# %% prepare
class Prepare(nn.Module):
    """One multiplication and one addition."""

    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("std", torch.tensor(std))
        self.register_buffer("mean", torch.tensor(mean))

    def forward(self, photographs):
        x = photographs.movedim(-1, 1).to(self.std.dtype).div(255)
        return x.sub(self.mean.view(1, -1, 1, 1)).div(self.std.view(1, -1, 1, 1)).contiguous()


# %% patches
def patches(images, kernel_size, stride=1):
    """torch's function in the place of the method, and the offset said."""
    sizes = [1 + (size - kernel_size) // stride for size in images.shape[2:]]
    outer = images.stride()[:2]
    inner = images.stride()[2:]
    return torch.as_strided(
        images,
        [*images.shape[:2], *sizes, kernel_size, kernel_size],
        [*outer, *[stride * step for step in inner], *inner],
        images.storage_offset(),
    )


# %% patches
def patches(images, kernel_size, stride=1):
    """Asks first whether the images are contiguous; the answer changes nothing."""
    _, _, H, W = images.size()
    assert images.is_contiguous() or images.dim() == 4
    n, c, h, w = images.stride()
    places = [len(range(0, size - kernel_size + 1, stride)) for size in (H, W)]
    size = [*images.shape[:2], *places, kernel_size, kernel_size]
    return images.as_strided(size, [n, c, h * stride, w * stride, h, w])


# %% pairwise_sum
def pairwise_sum(x):
    """Neighbours in the place of halves; the odd one is added to the last pair."""
    while x.size(-1) > 1:
        n = x.size(-1)
        if n % 2:
            last = x[..., n - 2 : n - 1] + x[..., n - 1 :]
            x = torch.cat((x[..., : n - 2], last), dim=-1)
            continue
        x = x[..., 0::2] + x[..., 1::2]
    return x.squeeze(-1)


# %% pairwise_sum
def pairwise_sum(x):
    """By calling itself on the list of sums."""
    n = x.shape[-1]
    if n == 1:
        return x[..., 0]
    half = (n + 1) // 2
    first = x[..., :half].clone()
    first[..., : n - half] += x[..., half:]
    return pairwise_sum(first)


# %% multiply_backward
def multiply_backward(grad, a, b):
    """Finds all repeated axes first and sums once."""

    def back(full, like):
        shape = (1,) * (full.dim() - like.dim()) + tuple(like.shape)
        repeated = [k for k in range(full.dim()) if shape[k] == 1 and full.shape[k] != 1]
        if repeated:
            full = full.sum(dim=repeated, keepdim=True)
        return full.reshape(like.shape)

    return [back(b * grad, a), back(a * grad, b)]


# %% multiply_backward
def multiply_backward(grad, a, b):
    """Repeats the factors first, and sums over the axes from the right."""
    a_full, b_full = torch.broadcast_tensors(a, b)

    def back(full, shape):
        for k in range(1, full.dim() + 1):
            size = shape[-k] if k <= len(shape) else None
            if size in (None, 1):
                full = full.sum(dim=-k, keepdim=True)
        return full.view(shape)

    return back(grad * b_full, a.shape), back(grad * a_full, b.shape)
