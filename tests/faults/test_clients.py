"""Clients that send too fast, never read, send nonsense, or send nothing, while all others go on."""

import asyncio

import psutil
import pytest

from tests.faults.rude import rude
from tests.faults.sign_ins import wrong_sign_ins

MB = 1024**2
MOST_MORE_BYTES = 60 * MB
"""Extra memory allowed for a web process with rude clients: mostly the crowd's own."""


@pytest.fixture
def memory(system, crowd):
    """A function that returns the growth of the web processes' memory, in bytes."""

    def held() -> int:
        return sum(psutil.Process(pid).memory_info().rss for pid in system.stack.pids("web"))

    before = held()
    return lambda: held() - before


@pytest.mark.parametrize("crowd", [10], indirect=True, ids=["ten times"])
def test_client_speaks_at_ten_times_real_time(crowd, harm, scale):
    crowd.speak_on(scale.speak_on_s)
    harm.survived("a client sends at ten times real time", recover_s=None)


def test_client_never_reads(crowd, harm, memory, scale):
    with rude("never reads", crowd.invite()):
        crowd.speak_on(scale.speak_on_s)
        assert memory() < MOST_MORE_BYTES
        harm.survived("a client never reads", recover_s=None)


@pytest.mark.proof  # each message is tried in tests/voice/sockets/test_fuzz.py
def test_client_sends_garbage_for_ever(crowd, harm, memory, scale):
    with rude("garbage", crowd.invite()):
        crowd.speak_on(scale.speak_on_s)
        assert memory() < MOST_MORE_BYTES
        harm.survived("a client sends garbage for ever", recover_s=None)


def test_many_clients_say_nothing(system, crowd, harm, memory, scale):
    with rude("silent", system.stack.url, scale.silent_clients) as clients:
        crowd.speak_on(scale.speak_on_s)
        assert memory() < MOST_MORE_BYTES
        harm.survived(f"{scale.silent_clients} clients connect and say nothing", recover_s=None)
        assert clients.wait(scale.idle_s + 120) == 0  # each was let go


def test_many_sign_in_with_wrong_passwords(system, crowd, harm, scale):
    seen = asyncio.run(wrong_sign_ins(system.stack.url, crowd.invite(), scale.wrong_sign_ins))
    system.forget_sign_ins()

    assert set(seen.sign_ins) == {200, 429}  # the form again, or wait
    assert set(seen.pages) == {200}
    assert max(seen.page_s) < scale.page_within_s
    slowest = f"{max(seen.page_s):.1f} s for the slowest page"
    harm.survived(f"{scale.wrong_sign_ins} sign-ins with wrong passwords at once; {slowest}", recover_s=None)
