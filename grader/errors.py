"""What the grader says when it cannot do what it was asked to."""

from __future__ import annotations


class UsageError(Exception):
    """Nothing can be graded: the reference, the folder or an option is wrong. The message says what to do."""


class SandboxError(Exception):
    """No sandbox is to be had, and a folder of submissions is not graded without one."""


class Unreadable(Exception):
    """A submission that cannot be read. The message is the reason, as it stands in the report."""
