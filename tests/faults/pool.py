"""Programs under a supervisor process, which can be killed with all its children.

`python -m tests.faults.pool` reads the programs as JSON from its standard input; `Pool` starts it.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Self

import psutil

from interview_platform.demo.processes import end_with_parent
from interview_platform.demo.supervisor import Program, Supervisor
from tests.faults.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
NAME = "POOL_PROGRAM"


class Pool:
    """A supervisor process, from `with` to its end. `log` receives the output of its programs."""

    def __init__(self, programs: Sequence[Program], log: Path) -> None:
        named = [replace(program, env={**program.env, NAME: program.name}) for program in programs]
        self._count = {program.name: program.count for program in programs}
        self._programs = json.dumps([asdict(program) for program in named])
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end(signal.SIGTERM)

    def start(self) -> None:
        """Start the supervisor and its programs."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.pool"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                preexec_fn=end_with_parent(signal.SIGKILL),
            )
        assert self._process.stdin
        self._process.stdin.write(self._programs)
        self._process.stdin.close()

    def kill_supervisor(self) -> None:
        """Kill the supervisor with SIGKILL; the kernel then ends its programs (PR_SET_PDEATHSIG)."""
        programs = self._running()
        self._end(signal.SIGKILL)
        _, alive = psutil.wait_procs(programs, timeout=60)
        assert not alive, "a program outlived its supervisor"

    def pids(self, name: str) -> list[int]:
        """Return the process ids of the running instances of a program."""
        return [child.pid for child in self._running() if _name(child) == name]

    def kill(self, name: str, index: int = 0, signal_number: int = signal.SIGKILL) -> int:
        """Send a signal to one process and return its process id."""
        pid = self.pids(name)[index]
        os.kill(pid, signal_number)
        return pid

    def wait_restarted(self, name: str, old_pid: int, *, within_s: float = 120.0) -> None:
        """Return once as many processes of `name` run as should, and `old_pid` is not among them.

        Raises:
            TimeoutError: they do not run in time.
        """

        def is_back() -> bool:
            pids = self.pids(name)
            return old_pid not in pids and len(pids) == self._count[name]

        wait_for(is_back, f"{name} to start again", within_s=within_s)

    def _running(self) -> list[psutil.Process]:
        assert self._process
        try:
            return psutil.Process(self._process.pid).children()
        except psutil.NoSuchProcess:
            return []

    def _end(self, signal_number: int) -> None:
        assert self._process
        self._process.send_signal(signal_number)
        self._process.wait(120)


def _name(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return process.environ().get(NAME, "")
    return ""


async def serve(programs: Sequence[Program], write: Callable[[str, str], None]) -> None:
    """Keep the programs running until SIGTERM."""
    stop_asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop_asked.set)
    async with Supervisor(programs, write=write):
        await stop_asked.wait()


def _write(name: str, line: str) -> None:
    print(name, line, flush=True)


if __name__ == "__main__":
    asyncio.run(serve([Program(**fields) for fields in json.load(sys.stdin)], _write))
