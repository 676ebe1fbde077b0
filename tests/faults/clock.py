"""A settable system time, for programs started with its environment.

Not libfaketime: its version 0.9.10 breaks `time.sleep` when it keeps the monotonic clock unchanged, as is
needed here.
"""

import contextlib
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """The system time of the programs that run with `env`; `set` changes its offset at once."""

    def __init__(self, directory: Path) -> None:
        self._library = directory / "clock.so"
        self._off = directory / "clock"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(self._library), str(SOURCE)], check=True)
        self._off.write_bytes(struct.pack("q", 0))

    @classmethod
    def made(cls, directory: Path) -> Self | None:
        """Make a clock, or return None on a machine without a C compiler."""
        return cls(directory) if shutil.which("cc") else None

    @property
    def env(self) -> dict[str, str]:
        """The environment of a program that uses this clock."""
        return {"LD_PRELOAD": str(self._library), "CLOCK_OFF": str(self._off)}

    @contextlib.contextmanager
    def off(self, seconds: int) -> Iterator[None]:
        """Shift the clock by this many seconds while the block runs."""
        self._set(seconds)
        try:
            yield
        finally:
            self._set(0)

    def _set(self, off_s: int) -> None:
        with self._off.open("r+b") as file:
            file.write(struct.pack("q", off_s))
