# %% updated_estimates: compute the estimates yourself
def updated_estimates(running_mean, running_var, input, momentum=0.1, batches_before=0):
    weight = 1 / (batches_before + 1) if momentum is None else momentum
    running_mean, running_var = running_mean.clone(), running_var.clone()
    F.batch_norm(input, running_mean, running_var, training=True, momentum=weight)
    return running_mean, running_var


# %% repaired_batch_norm: mend the class instead of calling it
class RepairedBatchNorm2d(nn.BatchNorm2d):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__(num_features, eps, momentum)


# %% folded: compute it yourself
def folded(weight, bias, norm):
    def vector(values, start):
        return torch.full_like(norm.running_var, start) if values is None else values

    return torch.nn.utils.fusion.fuse_conv_bn_weights(
        weight, bias, norm.running_mean, norm.running_var, norm.eps, vector(norm.weight, 1.0), vector(norm.bias, 0.0)
    )


# %% gradients_from_output: write the formula yourself
def gradients_from_output(grad_output, output, weight, bias, deviation):
    shape = 1, -1, *[1] * (output.dim() - 2)
    normal = ((output - bias.view(shape)) / weight.view(shape)).detach().requires_grad_()
    axes = [axis for axis in range(output.dim()) if axis != 1]
    leaves = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    with torch.enable_grad():
        y = normal * leaves[0].view(shape) + leaves[1].view(shape)
    direct, grad_weight, grad_bias = torch.autograd.grad(y, (normal, *leaves), grad_output)
    m = output.numel() // output.shape[1]
    inner = direct - direct.sum(axes).view(shape) / m
    inner = inner - normal.detach() * (direct * normal.detach()).sum(axes).view(shape) / m
    return inner / deviation.view(shape), grad_weight, grad_bias
