# %% pixel_shuffle: use reshape and permute alone
def pixel_shuffle(x, r):
    return F.pixel_shuffle(x, r)


# %% pixel_shuffle: use reshape and permute alone
def pixel_shuffle(x, r):
    return nn.PixelShuffle(r)(x)


# %% pixel_shuffle: use reshape and permute alone
def pixel_shuffle(x, r):
    return rearrange(x, "n (c r s) h w -> n c (h r) (w s)", r=r, s=r)


# %% pixel_shuffle: no loop that moves the pixels piece by piece
def pixel_shuffle(x, r):
    n, channels, h, w = x.shape
    y = x.new_zeros(n, channels // r**2, h * r, w * r)
    for i in range(r):
        for j in range(r):
            y[:, :, i::r, j::r] = x[:, i * r + j :: r * r]
    return y


# %% pixel_shuffle: you used stack
def pixel_shuffle(x, r):
    x = x.unflatten(1, (-1, r, r))  # (n, c, r, s, h, w)
    rows = [torch.stack(row.unbind(2), dim=-1) for row in x.unbind(2)]
    return torch.stack(rows, dim=3).flatten(4).flatten(2, 3)


# %% pixel_shuffle: you used conv_transpose2d
def pixel_shuffle(x, r):
    c = x.shape[1] // r**2
    kernel = torch.eye(r * r).to(x).reshape(r * r, 1, r, r).repeat(c, 1, 1, 1)
    return F.conv_transpose2d(x, kernel, stride=r, groups=c)


# %% pixel_shuffle: you used einops
def by_pattern(x, r):
    return rearrange(x, "n (c r s) h w -> n c (h r) (w s)", r=r, s=r)


def pixel_shuffle(x, r):
    return by_pattern(x, r)


# %% pixel_shuffle: you used einops
def pixel_shuffle(x, r):
    move = lambda: rearrange(x, "n (c r s) h w -> n c (h r) (w s)", r=r, s=r)  # noqa: E731
    return move()


# %% attention: the result is of torch.float64
def attention(q, k, v, heads):
    q, k, v = (rearrange(x.double(), "n t (h d) -> n h t d", h=heads) for x in (q, k, v))
    scores = torch.einsum("nhid,nhjd->nhij", q, k) / math.sqrt(q.shape[-1])
    mixed = torch.einsum("nhij,nhjd->nhid", scores.softmax(dim=-1), v)
    return rearrange(mixed, "n h t d -> n t (h d)")


# %% attention: mend the function instead of calling one
def attention(q, k, v, heads):
    q, k, v = (rearrange(x, "n t (h d) -> n h t d", h=heads) for x in (q, k, v))
    return rearrange(F.scaled_dot_product_attention(q, k, v), "n h t d -> n t (h d)")


# %% bilinear_gradients: are all that is needed
def bilinear_gradients(grad_output, u, weight, v):
    with torch.enable_grad():
        leaves = [x.clone().requires_grad_() for x in (u, weight, v)]
        output = torch.einsum("ni,oij,nj->no", *leaves)
    return torch.autograd.grad(output, leaves, grad_output)


# %% bilinear_gradients: are all that is needed
def bilinear_gradients(grad_output, u, weight, v):
    grad_u = torch.einsum("no,oij,nj->ni", grad_output, weight, v)
    grad_weight = torch.einsum("ni,no,nj->oij", u, grad_output, v)
    products = (u[:, None, None] @ weight).squeeze(2)
    grad_v = (grad_output[:, None] @ products).squeeze(1)
    return grad_u, grad_weight, grad_v


# %% bilinear_gradients: are all that is needed
def bilinear_gradients(grad_output, u, weight, v):
    leaves = [x.detach().clone() for x in (u, weight, v)]
    for x in leaves:
        x.requires_grad = True
    output = torch.einsum("ni,oij,nj->no", *leaves)
    torch.einsum("ni->", u), torch.einsum("nj->", v)
    return torch.autograd.grad(output, leaves, grad_output)


# %% bilinear_gradients: the result is of torch.float64
def bilinear_gradients(grad_output, u, weight, v):
    grad_output, u, weight, v = (x.double() for x in (grad_output, u, weight, v))
    grad_u = torch.einsum("no,oij,nj->ni", grad_output, weight, v)
    grad_weight = torch.einsum("ni,no,nj->oij", u, grad_output, v)
    return grad_u, grad_weight, torch.einsum("ni,oij,no->nj", u, weight, grad_output)
