"""The platform's processes are killed in the middle of their work."""

import signal
import time

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


def wait_until_busy(system):
    """Return once the worker is processing several transcripts, and more are waiting."""
    system.workers.kill("speech", signal_number=signal.SIGSTOP)
    wait_for(lambda: system.waiting("stt") > 2, "transcripts that wait")
    system.workers.kill("speech", signal_number=signal.SIGCONT)
    wait_for(lambda: system.running("stt") > 1, "several transcripts under way", every_s=0.005)
