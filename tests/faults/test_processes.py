"""The platform's processes are killed, or frozen, in the middle of their work."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.waiting import wait_for


def test_web_process_killed(system, crowd, harm):
    killed = system.stack.kill("web")
    since = time.monotonic()
    system.stack.wait_restarted("web", killed)
    harm.survived("kill -9 of a web process", recover_s=crowd.wait_recovered(since=since))


def test_worker_killed_in_the_middle_of_a_batch(system, crowd, harm):
    wait_until_busy(system)
    killed = system.workers.kill("speech")
    since = time.monotonic()
    system.workers.wait_restarted("speech", killed)
    harm.survived("kill -9 of a worker in the middle of a batch", recover_s=crowd.wait_recovered(since=since))


def test_supervisor_of_the_workers_killed(system, crowd, harm):
    wait_until_busy(system)
    system.workers.kill_supervisor()
    since = time.monotonic()
    system.workers.start()
    harm.survived("kill -9 of the workers' supervisor", recover_s=crowd.wait_recovered(since=since))


def test_processes_frozen_and_redis_at_its_limit(system, crowd, harm, scale):
    written = system.stack.log.stat().st_size
    with frozen(system.stack, "web", count=1):
        crowd.speak_on(scale.frozen_s)
    with frozen(system.workers, "default", count=len(system.workers.pids("default"))):
        crowd.speak_on(scale.stalled_s)
    with system.redis_at_its_limit():
        crowd.speak_on(scale.stalled_s)
    since = time.monotonic()
    fault = (
        f"a web process frozen for {scale.frozen_s:g} s, then the storing workers for {scale.stalled_s:g} s,"
        f" then Redis at its memory limit for {scale.stalled_s:g} s"
    )
    harm.survived(fault, recover_s=crowd.wait_recovered(since=since))
    log = system.stack.log.read_text(errors="replace")[written:]
    assert "Exception inside application" not in log
    assert "RuntimeError" not in log


@contextmanager
def frozen(programs, name: str, *, count: int) -> Iterator[None]:
    """Freeze some processes of a program while the block runs."""
    for index in range(count):
        programs.kill(name, index, signal.SIGSTOP)
    try:
        yield
    finally:
        for index in range(count):
            programs.kill(name, index, signal.SIGCONT)


def wait_until_busy(system):
    """Return once the worker is processing several transcripts, and more are waiting."""
    system.workers.kill("speech", signal_number=signal.SIGSTOP)
    wait_for(lambda: system.waiting("stt") > 2, "transcripts that wait")
    system.workers.kill("speech", signal_number=signal.SIGCONT)
    wait_for(lambda: system.running("stt") > 1, "several transcripts under way", every_s=0.005)
