"""Jupyter kernels that start at once: each is forked from a process that has torch imported.

Two kernelspecs, written by `python -m warmkernel install`, which any Jupyter client can name:

- `warm`: an ordinary Python kernel, only that it is ready in a moment.
- `warm-sandbox`: the same, shut in: no network, no other process, no file but the installed packages and its own
  folder, and limits on memory, processor time, processes and file size.

One warm process serves one user and one environment. It starts on first use and ends when it is no longer used.
"""
