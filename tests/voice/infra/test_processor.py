"""Priority, and the clock that stands still while a process waits for a processor."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from voice.infra.processor import UnstarvedClock, behind, behind_s, waits_s


class Machine:
    """A time and the waits of threads that a test sets."""

    def __init__(self):
        self.at, self.waits = 0.0, {}

    def clock(self) -> UnstarvedClock:
        return UnstarvedClock(1, clock=lambda: self.at, read_waits_s=lambda pid: dict(self.waits))


def test_clock_runs_while_threads_get_the_processor():
    machine = Machine()
    clock = machine.clock()
    machine.at, machine.waits = 10, {"a": 0.0, "b": 0.0}

    assert clock.now_s() == 10


def test_clock_stands_still_while_the_thread_that_waits_longest_waits():
    machine = Machine()
    clock = machine.clock()
    machine.at, machine.waits = 10, {"a": 1.0, "b": 9.0}
    assert clock.now_s() == 1

    machine.at = 20

    assert clock.now_s() == 11


def test_clock_never_runs_backwards():
    machine = Machine()
    clock = machine.clock()
    machine.at, machine.waits = 10, {"a": 30.0}

    assert clock.now_s() == 0


def test_thread_that_ended_does_not_matter():
    machine = Machine()
    machine.waits = {"a": 5.0}
    clock = machine.clock()
    machine.at, machine.waits = 10, {"b": 2.0}

    assert clock.now_s() == 8


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this system does not count waits")
def test_waits_of_a_process_are_read():
    assert all(seconds >= 0 for seconds in waits_s(os.getpid()).values())
    assert waits_s(os.getpid())


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this system has no autogroups")
def test_process_stands_back_behind_other_sessions_too():
    asked = (
        "import os; from voice.infra import processor; processor.stand_back(7); "
        "print(os.nice(0), open('/proc/self/autogroup').read().split()[-1])"
    )
    command = [sys.executable, "-c", asked]
    told = subprocess.run(command, start_new_session=True, capture_output=True, text=True, check=True)

    assert told.stdout.split() == ["7", "7"]


def test_work_stands_back_in_its_own_thread_only():
    with behind(2.0):
        inside = behind_s()
        with ThreadPoolExecutor(1) as thread:
            elsewhere = thread.submit(behind_s).result(60)

    assert (inside, elsewhere, behind_s()) == (2.0, 0.0, 0.0)
