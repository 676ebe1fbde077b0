"""Readiness notification to the parent process."""

import os


def tell_ready() -> None:
    """Notify the supervisor that this process is ready, if `READY_FD` is set.

    Source: s6's readiness notification, a line written to a file descriptor.
    """
    if descriptor := os.environ.pop("READY_FD", ""):
        os.write(int(descriptor), b"\n")
        os.close(int(descriptor))
