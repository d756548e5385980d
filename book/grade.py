# Set-up of grading, in the solutions only. Grading replaces the seed by a secret one.
import zlib

seed = 0


class Draw:
    """Random inputs of one task: they depend on the seed and the task alone.

    Tensors hold small whole numbers in float64. Their sums and products are exact in
    any order, so that two right answers print the same digits.
    """

    def __init__(self, task):
        self.generator = torch.Generator().manual_seed(seed + zlib.crc32(task.encode()))

    def tensor(self, *shape):
        return torch.randint(-4, 5, shape, generator=self.generator).double()

    def integer(self, low, high):
        """A whole number from `low` to `high`, both included."""
        return int(torch.randint(low, high + 1, (), generator=self.generator))


def show(value):
    """Print a number, a tensor, or a list or tuple of them, with six decimals."""
    if isinstance(value, (list, tuple)):
        for item in value:
            show(item)
    elif isinstance(value, torch.Tensor):
        print(
            tuple(value.shape),
            [round(float(v), 6) + 0.0 for v in value.detach().flatten()],
        )
    else:
        print(round(float(value), 6) + 0.0)
