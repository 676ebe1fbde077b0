"""Supervisor of several programs: prefixed output, restart after a crash, no orphaned processes.

honcho and similar tools stop everything when one program ends. A voice worker may be killed at any time and
must be restarted, so this is our own. It imports the standard library only, because it stays in memory.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from interview_platform.demo.processes import end_with_parent

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 10.0
STABLE_AFTER_S = 30.0  # a program that ran this long restarts with the first delay
READY_WITHIN_S = 60.0
LINE_LIMIT_BYTES = 1 << 20
COLOURS = (36, 33, 35, 32, 34, 96, 93, 95)


def next_delay_s(last_delay_s: float, lived_s: float) -> float:
    """Return the delay before a restart of a program that ran for `lived_s`: 0.5 s, doubling to 10 s."""
    if lived_s >= STABLE_AFTER_S or last_delay_s == 0:
        return FIRST_DELAY_S
    return min(last_delay_s * 2, LONGEST_DELAY_S)


@dataclass(frozen=True, slots=True)
class Program:
    """A command to run, and the number of its processes.

    `env` is added to this process's environment. The file descriptors in `pass_fds` (for example a listening
    socket) keep their numbers in the child. A program with `tells_ready` calls `tell_ready` when it is ready;
    any other counts as ready once started.
    """

    name: str
    argv: Sequence[str]
    count: int = 1
    env: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    grace_s: float = 10.0
    tells_ready: bool = False


def print_line(name: str, line: str) -> None:
    """Print one line of output after the program's name, in colour on a terminal."""
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        colour = COLOURS[sum(name.rpartition(".")[0].encode()) % len(COLOURS)]
        print(f"\033[{colour}m{name:<12}\033[0m {line}", flush=True)
    else:
        print(f"{name:<12} {line}", flush=True)


class Supervisor:
    """Keep the programs running from `async with` to its end.

    They start in the order given and stop in reverse order: SIGTERM, then SIGKILL to the rest of the process
    group after the program's `grace_s`. `write(name, line)` receives every line of output.
    """

    def __init__(
        self, programs: Sequence[Program], *, write: Callable[[str, str], None] = print_line
    ) -> None:
        self._write = write
        self.instances = [
            Instance(program, index, write) for program in programs for index in range(program.count)
        ]

    async def __aenter__(self) -> "Supervisor":
        try:
            for instance in self.instances:
                await instance.start()
        except BaseException:  # also when cancelled: stop the programs already started
            await self.stop()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop every program: instances of one name together, the names in reverse order."""
        names = list(dict.fromkeys(instance.program.name for instance in self.instances))
        for name in reversed(names):
            await asyncio.gather(*(instance.stop() for instance in self.of(name)))

    async def restart(self, name: str, *, within_s: float = READY_WITHIN_S) -> None:
        """Replace the processes of a program one after the other, each once its successor is ready.

        Raises:
            TimeoutError: a successor was not ready in time. The processes not yet replaced go on.
        """
        for old in self.of(name):
            new = Instance(old.program, old.index, self._write)
            self.instances.insert(self.instances.index(old), new)
            try:
                async with asyncio.timeout(within_s):
                    await new.start()
                    await new.is_ready.wait()
            except BaseException:
                await new.stop()
                self.instances.remove(new)
                raise
            await old.stop()
            self.instances.remove(old)

    def of(self, name: str) -> list["Instance"]:
        """Return the instances of the program called `name`."""
        return [instance for instance in self.instances if instance.program.name == name]


class Instance:
    """One process of a program, restarted whenever it ends by itself."""

    def __init__(self, program: Program, index: int, write: Callable[[str, str], None]) -> None:
        self.program = program
        self.index = index
        self.name = f"{program.name}.{index + 1}"
        self.starts = 0
        self.is_ready = asyncio.Event()
        self._write = write
        self._process: asyncio.subprocess.Process | None = None
        self._output: asyncio.StreamReader
        self._readiness: asyncio.Task[None]
        self._stop_asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None while it is not running."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    async def start(self) -> None:
        """Start the process and supervise it.

        Raises:
            OSError: the executable cannot be run.
        """
        await self._spawn()
        self._task = asyncio.create_task(self._keep_running(), name=self.name)

    async def stop(self) -> None:
        """Stop the process and its group, and do not restart it."""
        if self._task is None:
            return
        self._stop_asked.set()
        self._signal_group(signal.SIGTERM)
        _, unfinished = await asyncio.wait([self._task], timeout=self.program.grace_s)
        if unfinished:
            self._write(self.name, f"still running after {self.program.grace_s:g} s, killed")
            self._signal_group(signal.SIGKILL)
        await self._task

    async def _keep_running(self) -> None:
        delay_s = 0.0
        while True:
            started = time.monotonic()
            ending = await self._run_to_end()
            if self._stop_asked.is_set():
                return
            delay_s = next_delay_s(delay_s, time.monotonic() - started)
            self._write(self.name, f"{ending}, starts again in {delay_s:g} s")
            if await self._is_stopped_within(delay_s):
                return
            with contextlib.suppress(OSError):  # out of processes or memory: retried in the next round
                await self._spawn()

    async def _is_stopped_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop_asked.wait(), seconds)
        return self._stop_asked.is_set()

    async def _spawn(self) -> None:
        self.is_ready.clear()
        output_end, write_end = os.pipe()
        ready_end, tell_end = os.pipe()
        tells = (tell_end,) if self.program.tells_ready else ()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.program.argv,
                env={**os.environ, **self.program.env, **({"READY_FD": str(tell_end)} if tells else {})},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(*self.program.pass_fds, *tells),
                start_new_session=True,  # its own process group, which the terminal's Ctrl-C does not reach
                preexec_fn=end_with_parent(signal.SIGKILL),
            )
        except BaseException:
            os.close(output_end)
            os.close(ready_end)
            raise
        finally:
            os.close(write_end)
            os.close(tell_end)
        self.starts += 1
        self._output = await _reader(output_end)
        self._readiness = asyncio.create_task(self._wait_until_ready(await _reader(ready_end)))

    async def _wait_until_ready(self, told: asyncio.StreamReader) -> None:
        if await told.read(1) or not self.program.tells_ready:
            self.is_ready.set()

    async def _run_to_end(self) -> str:
        """Copy the output until the process has ended, and describe how it ended."""
        assert self._process
        reading = [asyncio.create_task(self._copy_output()), self._readiness]
        status = await self._process.wait()
        self._signal_group(signal.SIGKILL)  # its remaining children
        _, unread = await asyncio.wait(reading, timeout=1.0)
        for task in unread:  # a process that left the group may keep the pipes open
            task.cancel()
        return describe(status)

    async def _copy_output(self) -> None:
        while True:
            try:
                line = await self._output.readline()
            except ValueError:
                line = f"(more than {LINE_LIMIT_BYTES} bytes without a line's end, dropped)".encode()
            if not line:
                return
            self._write(self.name, line.decode(errors="replace").rstrip())

    def _signal_group(self, number: int) -> None:
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


async def _reader(read_end: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=LINE_LIMIT_BYTES)
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(read_end, "rb"))
    return reader


def describe(status: int) -> str:
    """Describe how a process ended: a negative status is the signal that ended it."""
    if status >= 0:
        return f"ended with status {status}"
    return f"ended by {signal.Signals(-status).name}"
