"""Faults of the machine: a full disk, a clock that jumps. The system's recordings are on a small disk."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.faults.clock import Clock
from tests.faults.conftest import Harm
from tests.faults.crowd import Crowd
from tests.faults.files import Directory, full, small_disk
from tests.faults.scale import Scale
from tests.faults.waiting import wait_for
from tests.stack import Stack

DISK_MB = 256
HOUR_S = 3600


@pytest.fixture(scope="module")
def media(run_directory: Path) -> Iterator[Path]:
    """The folder of the recordings: a separate disk if that is allowed."""
    place = run_directory / "small-disk"
    with contextlib.ExitStack() as mounted:
        with contextlib.suppress(OSError):
            mounted.enter_context(small_disk(place, megabytes=DISK_MB))
        yield place


@pytest.fixture(scope="module")
def clock(run_directory: Path) -> Clock | None:
    """The clock of all processes of the system."""
    return Clock.made(run_directory)


@pytest.fixture(scope="module")
def stack(run_directory, media, clock, models, scale) -> Iterator[Stack]:
    env = {**models, "MEDIA_ROOT": str(media), **(clock.env if clock else {})}
    with Stack(run_directory / "machine", env=env, adapt=scale.adapted) as running:
        running.wait_ready()
        yield running


@pytest.fixture
def crowd(stack: Stack, scale: Scale) -> Iterator[Crowd]:
    stack.wait_ready()
    with Crowd(stack, count=scale.candidates) as crowd:
        yield crowd


@pytest.fixture
def harm(crowd: Crowd, media: Path, request: pytest.FixtureRequest) -> Harm:
    return Harm(crowd, Directory(media), request.node)


def test_disk_full(media, crowd, harm, scale):
    if not os.path.ismount(media):
        pytest.skip("a small disk could not be mounted: only root may")
    with full(media):
        crowd.speak_on(scale.full_s)
    since = time.monotonic()
    harm.survived("disk full where recordings go", recover_s=crowd.wait_recovered(since=since))


# Back, all processes spin: the kernel's clock is not set, so waits until a time of day end at once.
@pytest.mark.parametrize(
    "hours", [pytest.param(1, id="forwards"), pytest.param(-1, id="back", marks=pytest.mark.proof)]
)
def test_clock_jumps(clock, stack, crowd, harm, hours):
    if clock is None:
        pytest.skip("there is no C compiler (cc) on this machine")
    stack.kill("speech", signal_number=signal.SIGSTOP)
    wait_for(lambda: waiting(stack), "a transcript that waits")
    with clock.off(hours * HOUR_S):
        since = time.monotonic()
        lose_queue(stack)  # so that the sweeper must find the waiting work despite the jump
        stack.kill("speech")
        recover_s = crowd.wait_recovered(since=since)
        harm.survived(f"clock jumps an hour {'forwards' if hours > 0 else 'back'}", recover_s=recover_s)


def waiting(stack: Stack) -> int:
    """Return the waiting transcripts."""
    return stack.rows("SELECT count(*) FROM voice_transcript WHERE status = 'waiting'")[0][0]


def lose_queue(stack: Stack) -> None:
    """Empty the queue of transcripts, as a Redis restored from an old file would."""
    with redis.Redis.from_url(stack.env["REDIS_URL"]) as client:
        client.delete("rq:queue:stt", "rq:queue:stt-later")
