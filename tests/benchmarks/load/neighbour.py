"""Other work on the machine, as on a host that is shared: it takes a part of a core throughout."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from interview_platform.demo.processes import end_with_parent

WORK = """
import sys, time
share, turn_s = float(sys.argv[1]), 0.02
due = time.monotonic()
while True:
    used = time.process_time() + share * turn_s
    while time.process_time() < used:
        sum(range(200))
    due = max(due + turn_s, time.monotonic() - turn_s)
    time.sleep(max(0.0, due - time.monotonic()))
"""
"""It works `share` of each 20 ms, and makes up for at most one turn in which it got no processor."""


@contextlib.contextmanager
def neighbour(share: float) -> Iterator[None]:
    """Run beside a program that takes `share` of a core, with a priority like everybody's; 0: none."""
    if not share:
        yield
        return
    command = [sys.executable, "-c", WORK, str(share), "neighbour"]
    process = subprocess.Popen(command, preexec_fn=end_with_parent(9), start_new_session=True)
    try:
        yield
    finally:
        process.kill()
        process.wait()
