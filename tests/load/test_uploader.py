"""The load driver's uploader, like the page's: after refusals, breaks and an early completion."""

import json

import pytest

from tests.benchmarks.load.measures import Figures
from tests.benchmarks.load.take import WINDOW_BYTES, Take
from tests.benchmarks.load.uploader import Uploader
from voice.recordings.frames import unpack

PCM = bytes(range(250)) * 1600  # 400 000 bytes


class Wire:
    """A connection that records what was sent."""

    def __init__(self):
        self.messages: list[dict] = []
        self.offsets: list[int] = []

    def send(self, message: dict) -> None:
        self.messages.append(json.loads(json.dumps(message)))

    def send_frame(self, frame: bytes) -> None:
        self.offsets.append(unpack(frame).offset)


class Setting:
    """An uploader for one take with `frames` recorded frames."""

    def __init__(self, frames: int, pcm: bytes = PCM):
        self.wire = Wire()
        self.take = Take(pcm, answer_id="a", figures=Figures())
        self.take.begin(0.0, len(pcm))
        self.take.speak(0.25)
        self.take.speak(frames * 0.25)
        self.uploader = Uploader(self.wire, to_offer=lambda: [self.take])
        self.uploader.expect("a")

    def take_sent(self) -> list[int]:
        sent, self.wire.offsets = self.wire.offsets, []
        return sent


@pytest.fixture
def no_timers(monkeypatch):
    """Pauses end when the test says so: by waking the uploader at a later time."""
    monkeypatch.setattr(Uploader, "_wake_in", lambda self, pause_s: None)


def test_nothing_is_sent_before_the_server_says_where():
    setting = Setting(frames=3)

    setting.uploader.wake(1.0)

    assert setting.take_sent() == []


def test_sending_goes_on_where_the_server_says():
    setting = Setting(frames=3)

    setting.uploader.resumed(setting.take, 8000)

    assert setting.take_sent() == [8000, 16_000]


def test_unacknowledged_bytes_are_bounded():
    setting = Setting(frames=40)

    setting.uploader.resumed(setting.take, 0)

    assert len(setting.take_sent()) == WINDOW_BYTES // 8000


def test_gap_rewinds_once(no_timers):
    setting = Setting(frames=4)
    setting.uploader.resumed(setting.take, 0)
    setting.take_sent()

    setting.uploader.rewind(16_000, 1.0)
    setting.uploader.rewind(16_000, 1.1)  # the next frame in transit reports the same gap

    assert setting.take_sent() == [16_000, 24_000]


def test_slow_down_sends_again_after_a_pause(no_timers):
    setting = Setting(frames=4)
    setting.uploader.resumed(setting.take, 0)
    setting.take_sent()

    setting.uploader.slow_down(8000, 10.0)
    setting.uploader.wake(10.5)
    during = setting.take_sent()
    setting.uploader.wake(11.1)

    assert during == []
    assert setting.take_sent() == [8000, 16_000, 24_000]


def test_completion_that_came_too_early_is_said_again_after_what_is_missing(no_timers):
    setting = Setting(frames=2, pcm=PCM[:16_000])
    setting.uploader.resumed(setting.take, 0)
    setting.take_sent()

    setting.uploader.missing(8000, 10.0)
    setting.uploader.wake(10.1)
    early = len(setting.wire.messages)
    setting.uploader.wake(11.0)

    finish = {"type": "finish_answer", "answer": "a", "bytes": 16_000}
    assert setting.take_sent() == [8000]
    assert early == 1
    assert setting.wire.messages == [finish, finish]


def test_frames_are_as_long_as_the_server_asks():
    setting = Setting(frames=8)
    setting.uploader.use_frames(1000)
    setting.uploader.resumed(setting.take, 0)
    assert setting.take_sent() == [0, 32_000]


def test_long_frame_waits_for_more_but_not_for_long():
    setting = Setting(frames=3)
    setting.uploader.use_frames(1000)
    setting.uploader.resumed(setting.take, 0)
    setting.take.speak(1.0)
    setting.uploader.acked(24_000, 1.0)
    setting.take_sent()
    sent_at = setting.uploader._sending.sent_at
    setting.uploader.wake(sent_at + 1.0)
    assert setting.take_sent() == []
    setting.uploader.wake(sent_at + 1.25)
    assert setting.take_sent() == [24_000]
