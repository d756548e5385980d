"""The end of an error message: what could have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def one_of(name: str, known: Iterable[str]) -> str:
    """`use one of a, b, c`, for a list that is short and closed."""
    return f"use one of {', '.join(known)}{did_you_mean(name, known)}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` (did you mean b?)` where a known name is close, else nothing."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
