"""A lull is noticed with the frame that completes it, once."""

import asyncio

import numpy as np
import pytest

from voice.capacity import shedding
from voice.live import lulls
from voice.live.turn_detection import FRAME_MS, SAMPLES_PER_FRAME, TurnDetector

FRAME_BYTES = 2 * SAMPLES_PER_FRAME


class Level:
    """Voice activity for which a frame is as likely speech as its first sample says."""

    def __call__(self, samples):
        return samples.reshape(-1, SAMPLES_PER_FRAME)[:, 0].copy()


def sound(*parts) -> bytes:
    """PCM from (probability, milliseconds) parts."""
    frames = [np.full(ms // FRAME_MS * SAMPLES_PER_FRAME, 32767 * level, "<i2") for level, ms in parts]
    return np.concatenate(frames).tobytes()


def heard(*parts) -> TurnDetector:
    detector = TurnDetector(Level())
    detector.feed(sound(*parts))
    return detector


@pytest.mark.parametrize(
    ("before_ms", "waiting", "spoken_to"),
    [
        (0, [(0, 192)], 24),
        (0, [(0, 160)], None),
        (0, [(0.9, 32), (0, 192)], 25),
        (256, [], 24),
        (256, [(0.9, 32), (0, 96)], None),
    ],
)
def test_lull_is_found_in_what_waits(before_ms, waiting, spoken_to):
    detector = heard((0.9, 768), (0, before_ms))

    assert lulls.last_speech(detector, sound(*waiting) if waiting else b"") == spoken_to


def test_looking_changes_nothing():
    detector = heard((0.9, 768))
    before = detector.n_frames, detector.silent_frames

    lulls.last_speech(detector, sound((0, 224)))

    assert (detector.n_frames, detector.silent_frames) == before


def test_there_is_no_lull_between_turns():
    assert lulls.last_speech(heard((0, 1024)), sound((0, 224))) is None


class Told:
    """Counts the lulls that were told; takes those that `wants` says."""

    def __init__(self, *wants: bool) -> None:
        self.wants = list(wants)
        self.count = 0

    async def __call__(self) -> bool:
        self.count += 1
        return self.wants.pop(0) if self.wants else True


async def looked(found: lulls.Lulls, detector: TurnDetector, waiting: bytes) -> None:
    found.look(detector, waiting)
    if found._looking is not None:
        await asyncio.wait([found._looking])
    await asyncio.sleep(0)  # its end is noticed


async def test_a_lull_is_told_once():
    told, detector = Told(), heard((0.9, 768))
    found = lulls.Lulls(told)

    for ms in (192, 224):
        await looked(found, detector, sound((0, ms)))

    assert told.count == 1


async def test_the_next_lull_is_told_again():
    told, detector = Told(), heard((0.9, 768))
    found = lulls.Lulls(told)
    await looked(found, detector, sound((0, 224)))
    detector.feed(sound((0, 256), (0.9, 256)))

    await looked(found, detector, sound((0, 224)))

    assert told.count == 2


async def test_a_lull_that_found_no_worker_is_told_again():
    told, detector = Told(False, True), heard((0.9, 768))
    found = lulls.Lulls(told)

    for _ in range(3):
        await looked(found, detector, sound((0, 224)))

    assert told.count == 2


async def test_under_load_nobody_looks(monkeypatch):
    monkeypatch.setattr(shedding, "is_off", lambda step: step is shedding.Step.SPECULATION)
    told = Told()

    await looked(lulls.Lulls(told), heard((0.9, 768)), sound((0, 224)))

    assert told.count == 0
