"""Telling the parent process that this one serves."""

import os


def tell_ready() -> None:
    """Tell the supervisor that this process does its work now, where it wants to know.

    Source: s6's readiness notification, a line written to a descriptor.
    """
    if descriptor := os.environ.pop("READY_FD", ""):
        os.write(int(descriptor), b"\n")
        os.close(int(descriptor))
