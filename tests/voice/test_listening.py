"""A listener hears espeak-ng's speech, tells what it noticed and asks for captions."""

import asyncio

import pytest

from tests.speech import spoken
from voice import listening
from voice.audio import s16le_from_samples
from voice.captions import byte_at
from voice.listening import Listener
from voice.turns import SpeechEnded, SpeechStarted, TurnEnded, TurnSettings

PATIENT = TurnSettings(is_semantic=False)


class Audience:
    """What a listener told, kept in order."""

    def __init__(self, is_asking_possible: bool = True) -> None:
        self.events = []
        self.wanted = []
        self.is_asking_possible = is_asking_possible

    async def noticed(self, event):
        self.events.append(event)

    async def ask(self, wanted):
        self.wanted.append(wanted)
        return self.is_asking_possible

    def listener(self, **options):
        return Listener(
            "a stream", noticed=self.noticed, ask_for_partial=self.ask, turn_settings=PATIENT, **options
        )


def sentence(pause_s=4.0):
    return s16le_from_samples(spoken("I worked on a large project for two years.", pause_s=pause_s))


async def heard(audience, pcm, **options):
    """Feed it as a browser does, and let the listener finish."""
    listener = audience.listener(**options)
    start = options.get("offset", 0)
    for at in range(0, len(pcm), 8000):
        listener.hear(start + at, pcm[at : at + 8000])
    await asyncio.wait_for(listener.finish(), timeout=30)


async def test_listener_notices_speech_and_the_end_of_the_turn():
    audience = Audience()

    await heard(audience, sentence())

    assert [type(event) for event in audience.events] == [SpeechStarted, SpeechEnded, TurnEnded]


async def test_listener_tells_positions_from_the_start_of_the_stream():
    audience = Audience()

    await heard(audience, sentence(), offset=320_000)

    assert 10 <= audience.events[0].timestamp_s < 10.3


async def test_listener_asks_for_one_partial_at_a_time():
    audience = Audience()

    await heard(audience, sentence(pause_s=3))  # less than the patience with one that does not come back

    assert len(audience.wanted) == 1


async def test_listener_asks_again_after_a_partial_that_could_not_be_asked_for():
    audience = Audience(is_asking_possible=False)

    await heard(audience, sentence())

    first, *_, last = audience.wanted
    assert not first.is_last
    assert last.is_last
    assert last.end == byte_at(audience.events[1].timestamp_s)


async def test_listener_joins_what_was_recognised_to_a_caption():
    audience = Audience()
    listener = audience.listener()
    listener.hear(0, sentence(pause_s=3))
    await asyncio.wait_for(listener.finish(), timeout=30)
    (wanted,) = audience.wanted

    assert listener.partial_recognised(wanted.start, wanted.end, " I worked ") == "I worked"
    assert listener.partial_recognised(wanted.start, wanted.end, "twice") is None


async def test_stream_that_ends_in_speech_ends_the_turn():
    audience = Audience()

    await heard(audience, sentence()[:48_000])

    assert audience.events[-1].reason == "finished"


async def test_audio_sent_twice_is_heard_once():
    once, twice = Audience(), Audience()
    pcm = sentence()
    await heard(once, pcm)

    listener = twice.listener()
    for at in range(0, len(pcm), 8000):
        listener.hear(at, pcm[at : at + 8000])
        listener.hear(max(0, at - 4000), pcm[max(0, at - 4000) : at + 8000])
    await asyncio.wait_for(listener.finish(), timeout=30)

    assert twice.events == once.events


async def test_listener_too_far_behind_goes_on_with_the_newest_audio():
    audience = Audience()
    pcm = sentence() * 2
    listener = audience.listener(backlog_bytes=len(pcm) - 2)
    listener.hear(0, pcm)
    assert listener.behind_bytes == len(pcm)

    await asyncio.wait_for(listener.finish(), timeout=30)

    assert audience.events == []
    assert listener.behind_bytes == 0


async def test_listener_falls_silent_when_its_audience_fails(caplog):
    class Failing(Audience):
        async def noticed(self, event):
            raise RuntimeError("what was said")

    await heard(Failing(), sentence())

    assert "listening to a stream has ended: RuntimeError" in caplog.text
    assert "what was said" not in caplog.text


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (SpeechStarted(0.5), {"type": "speech_start", "timestamp": 0.5}),
        (SpeechEnded(1.5), {"type": "speech_end", "timestamp": 1.5}),
        (TurnEnded(4.0, "silence"), {"type": "turn_ended", "timestamp": 4.0, "reason": "silence"}),
    ],
)
def test_message_of_an_event_is_of_the_voice_protocol(event, message):
    assert listening.message(event) == message


@pytest.fixture
async def deaf_to_cancelling(monkeypatch):
    """A listener whose task has lost its cancelling, as a call inside redis-py can."""

    async def lose_cancelling(self, offset):
        while not self._is_closed:
            try:
                await self._has_audio.wait()
            except asyncio.CancelledError:
                continue

    monkeypatch.setattr(Listener, "_listen", lose_cancelling)
    return Audience().listener()


async def test_close_ends_a_task_that_lost_its_cancelling(deaf_to_cancelling):
    await asyncio.sleep(0)  # the task begins
    await asyncio.wait_for(deaf_to_cancelling.close(), timeout=2 * listening.CLOSE_WITHIN_S)
    assert deaf_to_cancelling._task.done()


async def test_close_says_nothing_more():
    audience = Audience()
    listener = audience.listener()
    listener.hear(0, sentence())
    await listener.close()
    told = list(audience.events)

    await asyncio.sleep(0)

    assert audience.events == told
    assert not any(isinstance(event, TurnEnded) and event.reason == "finished" for event in told)
