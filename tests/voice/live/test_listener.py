"""Listeners process espeak-ng's speech, send events and request captions."""

import asyncio
import threading

import numpy as np
import pytest

from tests.speech import spoken
from voice.audio.pcm import BYTES_A_SECOND, byte_at, s16le_from_samples, samples_from_s16le
from voice.capacity import shedding
from voice.capacity.ladder import Step
from voice.infra import correlation
from voice.live import detectors
from voice.live.listener import Listener, behind_s, message
from voice.live.turn_detection import SpeechEnded, SpeechStarted, TurnEnded, TurnSettings

PATIENT = TurnSettings(is_semantic=False)
FRAME_BYTES = 8000


class Audience:
    """Records a listener's events in order."""

    def __init__(self, is_asking_possible: bool = True) -> None:
        self.events = []
        self.wanted = []
        self.is_asking_possible = is_asking_possible
        self.told = asyncio.Event()

    async def noticed(self, event):
        self.events.append(event)
        self.told.set()

    async def ask(self, wanted):
        self.wanted.append(wanted)
        self.told.set()
        return self.is_asking_possible

    def listener(self, turn_settings=PATIENT, **options):
        options.setdefault("read", lambda start, end: bytes(end - start))
        return Listener(
            "a stream", noticed=self.noticed, request_caption=self.ask, turn_settings=turn_settings, **options
        )

    async def until(self, is_enough):
        """Wait until enough was told."""
        async with asyncio.timeout(120):
            while not is_enough():
                self.told.clear()
                await self.told.wait()

    async def until_the_turn_ended(self):
        await self.until(lambda: any(isinstance(event, TurnEnded) for event in self.events))


def sentence(pause_s=4.0):
    return s16le_from_samples(spoken("I worked on a large project for two years.", pause_s=pause_s))


def send(listener, pcm, start=0):
    """Send audio as a browser does."""
    for at in range(0, len(pcm), FRAME_BYTES):
        listener.feed(start + at, pcm[at : at + FRAME_BYTES])


async def heard(audience, pcm, **options):
    """Send audio until the turn has ended."""
    listener = audience.listener(**options)
    send(listener, pcm, options.get("offset", 0))
    await audience.until_the_turn_ended()
    await listener.close()


async def test_listener_notices_speech_and_the_end_of_the_turn():
    audience = Audience()

    await heard(audience, sentence())

    assert [type(event) for event in audience.events] == [SpeechStarted, SpeechEnded, TurnEnded]


async def test_listener_tells_positions_from_the_start_of_the_stream():
    audience = Audience()

    await heard(audience, sentence(), offset=320_000)

    assert 10 <= audience.events[0].timestamp_s < 10.3


async def test_many_listeners_are_told_each_of_its_own_stream():
    audiences = [Audience() for _ in range(20)]
    alone = Audience()
    await heard(alone, sentence())

    listeners = [audience.listener() for audience in audiences]
    pcm = sentence()
    for at in range(0, len(pcm) + 20 * FRAME_BYTES, FRAME_BYTES):  # each starts a frame later
        for number, listener in enumerate(listeners):
            start = at - number * FRAME_BYTES
            if 0 <= start < len(pcm):
                listener.feed(start, pcm[start : start + FRAME_BYTES])
    for audience in audiences:
        await audience.until_the_turn_ended()
    await asyncio.gather(*(listener.close() for listener in listeners))

    assert [audience.events for audience in audiences] == [alone.events] * 20


async def test_listeners_heard_together_go_back_each_to_its_own_request():
    class Asked(Audience):
        async def noticed(self, event):
            self.requests = {*getattr(self, "requests", ()), correlation.request_id()}
            await super().noticed(event)

    audiences = {request_id: Asked() for request_id in ("1" * 16, "2" * 16)}
    listeners = []
    for request_id, audience in audiences.items():
        with correlation.serving(request_id):
            listeners.append(audience.listener())
    for listener in listeners:
        send(listener, sentence())
    for audience in audiences.values():
        await audience.until_the_turn_ended()
    await asyncio.gather(*(listener.close() for listener in listeners))

    assert {request_id: audience.requests for request_id, audience in audiences.items()} == {
        request_id: {request_id} for request_id in audiences
    }


async def test_listener_whose_audience_is_slow_keeps_nobody_waiting():
    class Slow(Audience):
        async def noticed(self, event):
            await super().noticed(event)
            await asyncio.Event().wait()

    slow, other = Slow(), Audience()
    slow_listener = slow.listener()
    send(slow_listener, sentence())
    await slow.until(lambda: slow.events)

    await heard(other, sentence())

    assert [type(event) for event in slow.events] == [SpeechStarted]
    assert behind_s() == 0
    await slow_listener.close()


async def test_listener_asks_for_one_caption_at_a_time():
    audience = Audience()

    await heard(audience, sentence(pause_s=3))  # less than the timeout for a call that hangs

    assert len(audience.wanted) == 1


async def test_listener_asks_again_after_a_caption_that_could_not_be_asked_for():
    audience = Audience(is_asking_possible=False)

    await heard(audience, sentence())

    *_, last = audience.wanted
    assert last.end == byte_at(audience.events[1].timestamp_s)


async def test_listener_joins_what_was_recognised_to_a_caption():
    audience = Audience()
    listener = audience.listener()
    listener.feed(0, sentence(pause_s=3))
    await audience.until_the_turn_ended()
    (wanted,) = audience.wanted

    assert listener.caption_recognised(wanted.start, wanted.end, " I worked ") == "I worked"
    assert listener.caption_recognised(wanted.start, wanted.end, "twice") is None
    await listener.close()


async def test_audio_sent_twice_is_heard_once():
    once, twice = Audience(), Audience()
    pcm = sentence()
    await heard(once, pcm)

    listener = twice.listener()
    for at in range(0, len(pcm), FRAME_BYTES):
        listener.feed(at, pcm[at : at + FRAME_BYTES])
        listener.feed(max(0, at - 4000), pcm[max(0, at - 4000) : at + FRAME_BYTES])
    await twice.until_the_turn_ended()
    await listener.close()

    assert twice.events == once.events


async def test_listener_too_far_behind_goes_on_with_the_newest_audio():
    audience = Audience()
    pcm = sentence()
    listener = audience.listener(backlog_bytes=len(pcm) - 2)
    listener.feed(0, pcm)
    assert behind_s() == 0

    listener.feed(len(pcm), pcm[:-2])
    await audience.until_the_turn_ended()
    await listener.close()

    assert [type(event) for event in audience.events] == [SpeechStarted, SpeechEnded, TurnEnded]
    assert audience.events[0].timestamp_s >= len(pcm) / BYTES_A_SECOND


async def test_audio_that_waits_is_told_for_how_long(monkeypatch):
    loop, has_begun, may_go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def hear(pieces, vad):
        loop.call_soon_threadsafe(has_begun.set)
        may_go_on.wait(120)
        return [[] for _ in pieces]

    monkeypatch.setattr("voice.live.listener.feed_together", hear)
    listener = Audience().listener()
    assert behind_s() == 0
    try:
        send(listener, sentence())
        await asyncio.wait_for(has_begun.wait(), timeout=120)
        once = behind_s()
        assert 0 < once < behind_s()
    finally:
        may_go_on.set()
        await listener.close()
    assert behind_s() == 0


async def test_listener_falls_silent_when_its_audience_fails(caplog):
    class Failing(Audience):
        async def noticed(self, event):
            raise RuntimeError("what was said")

    other = Audience()
    failing = Failing().listener()
    send(failing, sentence())

    await heard(other, sentence())

    assert caplog.text.count("listening to a stream has ended: RuntimeError") == 1
    assert "what was said" not in caplog.text
    await failing.close()


def room_noise(seconds):
    noise = np.random.default_rng(2).standard_normal(seconds * 16_000).astype(np.float32)
    return s16le_from_samples(0.003 * noise)


async def test_listener_knows_whether_anything_was_said():
    speaks, is_silent = Audience().listener(), Audience().listener()
    assert await is_silent.voice.has_speech_by_now() is False  # nothing came
    send(speaks, sentence())
    send(is_silent, room_noise(seconds=4))
    assert await speaks.voice.has_speech_by_now() is True
    assert await is_silent.voice.has_speech_by_now() is False
    for listener in (speaks, is_silent):
        await listener.close()
    assert (speaks.voice.has_speech, is_silent.voice.has_speech) == (True, None)


async def test_listener_that_skipped_a_part_calls_nothing_silent():
    noise = room_noise(seconds=4)
    listener = Audience().listener(backlog_bytes=len(noise) - 2)
    listener.feed(0, noise)
    send(listener, noise, len(noise))
    assert await listener.voice.has_speech_by_now() is None
    await listener.close()


class Judge:
    """A semantic model that considers every turn complete."""

    def __init__(self):
        self.asked = 0

    def probability(self, samples):
        self.asked += 1
        self.samples = samples
        return 1.0


@pytest.mark.parametrize(("level", "reason"), [(0, "semantic"), (Step.SEMANTIC, "silence")])
async def test_silence_alone_decides_while_the_semantic_model_is_off(monkeypatch, level, reason):
    judge, audience = Judge(), Audience()
    monkeypatch.setattr(detectors, "smart_turn", lambda: judge)
    monkeypatch.setattr(shedding, "is_off", lambda step: level >= step)

    await heard(audience, sentence(), turn_settings=TurnSettings(is_semantic=True))

    assert audience.events[-1].reason == reason
    assert judge.asked == (reason == "semantic")


@pytest.mark.parametrize(("before", "reason"), [(0, "silence"), (Step.SEMANTIC, "semantic")])
async def test_what_counts_is_whether_the_model_is_off_when_it_would_be_asked(monkeypatch, before, reason):
    judge, audience, off = Judge(), Audience(), [before]
    monkeypatch.setattr(detectors, "smart_turn", lambda: judge)
    monkeypatch.setattr(shedding, "is_off", lambda step: off[0] >= step)
    listener, pcm = audience.listener(turn_settings=TurnSettings(is_semantic=True)), sentence()

    send(listener, pcm[: 2 * BYTES_A_SECOND])
    await audience.until(lambda: audience.events)
    off[0] = Step.SEMANTIC - before  # the step starts or ends
    send(listener, pcm[2 * BYTES_A_SECOND :], 2 * BYTES_A_SECOND)
    await audience.until_the_turn_ended()
    await listener.close()

    assert audience.events[-1].reason == reason
    assert judge.asked == (reason == "semantic")


async def test_the_model_hears_the_turn_with_its_pause_as_it_lies_in_the_stream(monkeypatch):
    judge, audience, pcm = Judge(), Audience(), sentence()
    monkeypatch.setattr(detectors, "smart_turn", lambda: judge)
    offset = 3 * BYTES_A_SECOND

    def read(start, end):
        return pcm[start - offset : end - offset]

    await heard(audience, pcm, turn_settings=TurnSettings(is_semantic=True), read=read, offset=offset)

    assert audience.events[-1].reason == "semantic"
    end = byte_at(audience.events[-1].timestamp_s)
    assert len(judge.samples) > 2 * 16_000
    assert np.array_equal(judge.samples, samples_from_s16le(read(end - 2 * len(judge.samples), end)))


async def test_sound_that_is_gone_leaves_the_decision_to_silence(monkeypatch):
    judge, audience = Judge(), Audience()
    monkeypatch.setattr(detectors, "smart_turn", lambda: judge)

    await heard(
        audience, sentence(), turn_settings=TurnSettings(is_semantic=True), read=lambda start, end: b"ab"
    )

    assert audience.events[-1].reason == "silence"
    assert judge.asked == 0


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (SpeechStarted(0.5), {"type": "speech_start", "timestamp": 0.5}),
        (SpeechEnded(1.5), {"type": "speech_end", "timestamp": 1.5}),
        (TurnEnded(4.0, "silence"), {"type": "turn_ended", "timestamp": 4.0, "reason": "silence"}),
    ],
)
def test_message_of_an_event_is_of_the_voice_protocol(event, told):
    assert message(event) == told


async def test_close_says_nothing_more():
    audience = Audience()
    listener = audience.listener()
    listener.feed(0, sentence())
    await audience.until(lambda: audience.events)
    await listener.close()
    told = list(audience.events)

    listener.feed(len(sentence()), sentence())
    await heard(Audience(), sentence())  # the rounds continue

    assert audience.events == told
    assert len(told) < 3


async def test_close_ends_a_telling_that_lost_its_cancelling(monkeypatch):
    """A call inside redis-py can swallow the cancellation."""
    may_go_on = asyncio.Event()

    class Deaf(Audience):
        async def noticed(self, event):
            await super().noticed(event)
            while not may_go_on.is_set():
                try:
                    await may_go_on.wait()
                except asyncio.CancelledError:
                    may_go_on.set()

    audience = Deaf()
    listener = audience.listener()
    listener.feed(0, sentence())
    await audience.until(lambda: audience.events)

    await asyncio.wait_for(listener.close(), timeout=120)
    await heard(Audience(), sentence())

    assert [type(event) for event in audience.events] == [SpeechStarted]
    assert audience.wanted == []


async def test_close_does_not_wait_for_a_telling_that_never_ends(monkeypatch):
    monkeypatch.setattr("voice.live.listener.CLOSE_WITHIN_S", 0.01)
    may_go_on = asyncio.Event()

    class Stuck(Audience):
        async def noticed(self, event):
            await super().noticed(event)
            while not may_go_on.is_set():
                try:
                    await may_go_on.wait()
                except asyncio.CancelledError:
                    continue

    audience = Stuck()
    listener = audience.listener()
    listener.feed(0, sentence())
    await audience.until(lambda: audience.events)

    await asyncio.wait_for(listener.close(), timeout=120)
    may_go_on.set()
    await heard(Audience(), sentence())

    assert len(audience.events) == 1


async def test_pause_is_told_before_speech_counts_as_ended():
    audience, pauses = Audience(), []

    async def paused():
        pauses.append([type(event) for event in audience.events])
        audience.told.set()
        return True

    listener = audience.listener(paused=paused)
    send(listener, sentence(pause_s=0.4))
    await audience.until(lambda: pauses)
    await listener.close()

    assert pauses == [[SpeechStarted]]
