# %% block_max: build it from reshaping
def block_max(input, size):
    return F.max_pool2d(input, size)


# %% block_max: build it from reshaping
def block_max(input, size):
    return nn.MaxPool2d(size)(input)


# %% repaired_dropout: mend the class instead of calling
class RepairedDropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, input):
        return F.dropout(input, self.p, self.training)


# %% repaired_dropout: mend the class instead of calling
class RepairedDropout(nn.Dropout):
    pass


# %% max_pool1d_gradient: without autograd
def max_pool1d_gradient(grad_output, input, kernel_size, stride):
    leaf = input.clone().requires_grad_()
    return torch.autograd.grad(F.max_pool1d(leaf, kernel_size, stride), leaf, grad_output)[0]


# %% avg_pool1d_gradient: without autograd
def avg_pool1d_gradient(grad_output, length, kernel_size, stride, padding=0, count_include_pad=True):
    leaf = grad_output.new_zeros(*grad_output.shape[:2], length).requires_grad_()
    output = F.avg_pool1d(leaf, kernel_size, stride, padding, count_include_pad=count_include_pad)
    return torch.autograd.grad(output, leaf, grad_output)[0]


# %% max_pool1d_gradient: without autograd
def max_pool1d_gradient(grad_output, input, kernel_size, stride):
    leaf = input.clone()
    leaf.requires_grad = True
    F.max_pool1d(leaf, kernel_size, stride).backward(grad_output)
    return leaf.grad
