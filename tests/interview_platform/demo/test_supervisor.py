import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from interview_platform.demo import supervisor
from interview_platform.demo.supervisor import Program, Supervisor, describe, next_delay_s

ROOT = Path(supervisor.__file__).parents[2]
SLEEP = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = (
    "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()"
)
# Starts a child that ignores SIGTERM, and prints the child's process id.
FAMILY = f"""
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}])
print(child.pid, flush=True)
signal.pause()
"""
SAY_WHEN_STOPPED = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("up", flush=True)
signal.sigwait([signal.SIGTERM])
print("stopped", flush=True)
"""
SAY_READY = """
import signal
from interview_platform.server.ready import tell_ready
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("ready", flush=True)
tell_ready()
signal.sigwait([signal.SIGTERM])
print("stopped", flush=True)
"""
SAY_ENVIRONMENT = """
import os, socket
print(os.environ["WORD"], socket.socket(fileno=int(os.environ["FD"])).getsockname()[1])
"""
SUPERVISE = f"""
import asyncio, sys
from interview_platform.demo.supervisor import Program, Supervisor
async def main():
    program = Program("child", (sys.executable, "-c", {SLEEP!r}))
    async with Supervisor([program], write=lambda *line: None) as running:
        print(*(instance.pid for instance in running.of("child")), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def pids(running: Supervisor) -> list[int]:
    """The process ids of the running instances of the program "child"."""
    return [instance.pid for instance in running.of("child") if instance.pid]


class Lines:
    """The programs' output; a test can wait for a line."""

    def __init__(self):
        self.seen = []
        self._more = asyncio.Event()

    def __call__(self, name, line):
        self.seen.append(f"{name} {line}")
        self._more.set()

    async def wait_for(self, pattern, count=1):
        async with asyncio.timeout(120):
            while len(found := [line for line in self.seen if re.search(pattern, line)]) < count:
                self._more.clear()
                await self._more.wait()
        return found[-1]


def python(code, name="child", **fields):
    return Program(name, (sys.executable, "-c", code), **fields)


async def wait_ended(pid):
    """Return once the process has ended, even if it is still a zombie."""
    with contextlib.suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        has_ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(process, has_ended.set)
        async with asyncio.timeout(120):
            await has_ended.wait()
        asyncio.get_running_loop().remove_reader(process)
        os.close(process)


@pytest.fixture
def quick_restart(monkeypatch):
    monkeypatch.setattr(supervisor, "FIRST_DELAY_S", 0.01)


async def test_output_is_given_line_by_line_with_the_name():
    lines = Lines()
    async with Supervisor([python(SLEEP, count=2)], write=lines):
        await lines.wait_for("^child.1 up$")
        await lines.wait_for("^child.2 up$")


async def test_a_killed_program_starts_again(quick_restart):
    lines = Lines()
    async with Supervisor([python(SLEEP)], write=lines) as running:
        await lines.wait_for("up")
        (first,) = pids(running)
        os.kill(first, signal.SIGKILL)
        await lines.wait_for("up", count=2)
        (second,) = pids(running)
    assert second != first
    assert "ended by SIGKILL, starts again in 0.01 s" in lines.seen[1]


async def test_a_program_that_ends_by_itself_starts_again_later_and_later(quick_restart):
    lines = Lines()
    async with Supervisor([python("raise SystemExit(3)")], write=lines):
        await lines.wait_for("ended with status 3", count=3)
    delays = [line.rpartition("in ")[2] for line in lines.seen]
    assert delays[:3] == ["0.01 s", "0.02 s", "0.04 s"]


@pytest.mark.parametrize(
    ("last_delay_s", "lived_s", "expected"),
    [(0, 1, 0.5), (0.5, 1, 1), (8, 1, 10), (10, 29, 10), (10, 30, 0.5)],
)
def test_next_delay(last_delay_s, lived_s, expected):
    assert next_delay_s(last_delay_s, lived_s) == expected


async def test_programs_stop_in_reverse_order():
    lines = Lines()
    async with Supervisor(
        [python(SAY_WHEN_STOPPED, "first"), python(SAY_WHEN_STOPPED, "second")], write=lines
    ):
        await lines.wait_for("first.1 up")
        await lines.wait_for("second.1 up")
    assert lines.seen[-2:] == ["second.1 stopped", "first.1 stopped"]


async def test_a_program_that_does_not_end_is_killed_after_its_grace_time():
    lines = Lines()
    async with Supervisor([python(STUBBORN, grace_s=0.1)], write=lines) as running:
        await lines.wait_for("up")
        (pid,) = pids(running)
    await wait_ended(pid)
    assert lines.seen[-1] == "child.1 still running after 0.1 s, killed"


async def test_children_of_a_program_end_with_it(quick_restart):
    lines = Lines()
    async with Supervisor([python(FAMILY)], write=lines) as running:
        grandchild = int((await lines.wait_for(r"child.1 \d+$")).split()[1])
        os.kill(pids(running)[0], signal.SIGKILL)
        await lines.wait_for("starts again")
        await wait_ended(grandchild)


async def test_a_program_waiting_to_start_again_can_be_stopped(monkeypatch):
    monkeypatch.setattr(supervisor, "FIRST_DELAY_S", 60)
    lines = Lines()
    async with Supervisor([python("")], write=lines) as running:
        await lines.wait_for("starts again in 60 s")
        assert pids(running) == []


async def test_an_executable_that_does_not_exist_stops_those_before_it():
    lines = Lines()
    running = Supervisor([python(SLEEP), Program("absent", ("/does/not/exist",))], write=lines)
    with pytest.raises(FileNotFoundError):
        await running.__aenter__()
    assert pids(running) == []


async def test_a_line_without_end_does_not_stop_the_output(monkeypatch):
    monkeypatch.setattr(supervisor, "LINE_LIMIT_BYTES", 1000)
    lines = Lines()
    async with Supervisor(
        [python("print('x' * 5000 + '\\nshort', flush=True); import signal; signal.pause()")], write=lines
    ):
        await lines.wait_for("dropped")
        await lines.wait_for("short$")


async def test_environment_and_descriptors_reach_the_program():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        lines = Lines()
        program = python(SAY_ENVIRONMENT, env={"WORD": "tea", "FD": str(number)}, pass_fds=(number,))
        async with Supervisor([program], write=lines):
            await lines.wait_for(f"child.1 tea {listener.getsockname()[1]}$")


async def test_programs_end_when_the_supervisor_is_killed():
    command = [sys.executable, "-c", SUPERVISE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as parent:  # noqa: ASYNC220 nothing else runs
        child = int(parent.stdout.readline())
        parent.kill()
    await wait_ended(child)


def test_describe_names_the_signal():
    assert describe(-signal.SIGKILL) == "ended by SIGKILL"
    assert describe(3) == "ended with status 3"


def test_supervisor_stays_slim():
    code = "import sys, interview_platform.demo.supervisor; print('django' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT) == b"False\n"


async def test_restart_replaces_one_after_the_other_each_when_its_successor_is_ready():
    lines = Lines()
    async with Supervisor([python(SAY_READY, count=2, tells_ready=True)], write=lines) as running:
        await lines.wait_for("ready", count=2)
        before = pids(running)
        await running.restart("child")
        after = pids(running)
    order = [line for line in lines.seen[2:] if not line.endswith("up")]
    assert order[:4] == ["child.1 ready", "child.1 stopped", "child.2 ready", "child.2 stopped"]
    assert len(set(before) | set(after)) == 4


@pytest.mark.parametrize("successor", ["import signal; signal.pause()", "raise SystemExit(1)"])
async def test_restart_leaves_what_works_where_a_successor_does_not_get_ready(tmp_path, successor):
    code = tmp_path / "code.py"
    code.write_text(SAY_READY)
    program = Program(
        "child", (sys.executable, str(code)), count=2, env={"PYTHONPATH": str(ROOT)}, tells_ready=True
    )
    lines = Lines()
    async with Supervisor([program], write=lines) as running:
        await lines.wait_for("ready", count=2)
        before = pids(running)
        code.write_text(successor)
        with pytest.raises(TimeoutError):
            await running.restart("child", within_s=0.5)
        assert pids(running) == before
    assert not [line for line in lines.seen[:-2] if "stopped" in line]


async def test_restart_of_a_program_that_tells_nothing_does_not_wait():
    lines = Lines()
    async with Supervisor([python(SLEEP)], write=lines) as running:
        await lines.wait_for("up")
        before = pids(running)
        await running.restart("child")
        assert pids(running) != before


async def test_stopping_in_the_middle_of_a_restart_leaves_nothing():
    lines = Lines()
    async with Supervisor([python(SLEEP, tells_ready=True)], write=lines) as running:
        await lines.wait_for("up")
        restarting = asyncio.create_task(running.restart("child"))
        await lines.wait_for("up", count=2)
        left = pids(running)
        restarting.cancel()
    assert len(left) == 2
    for pid in left:
        await wait_ended(pid)
    await asyncio.wait([restarting])
