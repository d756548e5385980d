# Set-up of grading, in the solutions only. Grading replaces the seed by a secret one,
# and runs this cell again before the grade cells of each task.
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
    """Show a number, a tensor, or a list or tuple of them, with six decimals.

    In an output of a kind of its own: what an answer prints does not mix with it.
    """
    from IPython.display import display

    def lines(value):
        if isinstance(value, (list, tuple)):
            return [line for item in value for line in lines(item)]
        if isinstance(value, torch.Tensor):
            values = [round(float(v), 6) + 0.0 for v in value.detach().flatten()]
            return [f"{tuple(value.shape)} {values}"]
        return [str(round(float(value), 6) + 0.0)]

    text = "\n".join(lines(value))
    display({"text/plain": text, "text/x-grade": text}, raw=True)
