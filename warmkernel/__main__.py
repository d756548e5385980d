"""`python -m warmkernel`: make the kernels known to Jupyter, or ask whether a sandbox can be had."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if all is well."""
    parser = argparse.ArgumentParser(prog="python -m warmkernel", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("install", help="write the kernelspecs `warm` and `warm-sandbox` into this environment")
    commands.add_parser("check", help="exit 0 if sandboxes work here; else say what is missing and exit 1")
    if parser.parse_args(arguments).command == "install":
        return _install()
    return _check()


def _install() -> int:
    from warmkernel import install

    for path in install.install():
        print(f"written: {path}")
    return 0


def _check() -> int:
    from warmkernel import client, runtime

    try:
        if reason := client.fallback_reason():
            raise runtime.WarmKernelError(f"no sandbox can be had here: {reason}")
        from warmkernel import sandbox

        sandbox.check(runtime.folder())
    except runtime.WarmKernelError as error:
        print(error, file=sys.stderr)
        return 1
    print("sandboxes work here")
    return 0


if __name__ == "__main__":
    sys.exit(main())
