"""Answers are recognised while they are given; the text is the one that the whole recording has."""

import threading

import numpy as np
import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import redis_connections
from tests.fakes import FakeRecognition
from tests.speech import spoken
from voice.audio.pcm import s16le_from_samples
from voice.engines.vad.silero import SileroVad
from voice.engines.vad.windows import windows_of
from voice.inference import recognizer
from voice.infra import redis_clients
from voice.models import Recording, Transcript
from voice.recordings import buffer, kept, lifecycle
from voice.types import RECOGNITION_RATE_HZ, Recognition, Segment, Window, Word
from voice.workers import storing, transcription, windowed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

SENTENCE = "I led a team of five people, and we built a small service."


class FakeWindows(FakeRecognition):
    """Says of each window how long it is and how loud; remembers them in `windows`."""

    takes_windows = True

    def __init__(self) -> None:
        super().__init__()
        self.windows: list[float] = []
        self.hot_words: list[str | None] = []

    def during(self) -> None:
        """Called in each recognition."""

    def recognize(self, samples, *, windows, on_segments=None, **options):
        self.during()
        self.hot_words.append(options.get("hot_words"))
        segments = [self._said_in(window, samples) for window in windows]
        self.windows += [segment.end_s - segment.start_s for segment in segments]
        for segment in segments:
            if on_segments:
                on_segments((segment,))
        text = " ".join(segment.text for segment in segments)
        return Recognition(text, "en", 1.0, len(samples) / 16_000, tuple(segments), self.name, self.model)

    def _said_in(self, window: Window, samples) -> Segment:
        sound = window.cut_from(samples)
        text = f"{len(sound)}:{np.abs(sound).sum():.3f}"
        start_s, end_s = (round(at / RECOGNITION_RATE_HZ, 3) for at in limits(window))
        return Segment(text, start_s, end_s, -0.1, 0.0, (Word(text, start_s, end_s, 0.9),))


def limits(window: Window) -> tuple[int, int]:
    return window.spans[0].start, window.spans[-1].end


@pytest.fixture
def engine(monkeypatch):
    engine = FakeWindows()
    chain = recognizer.Recognizer([engine])
    chain.load()
    monkeypatch.setattr(recognizer, "recognizer", lambda: chain)
    return engine


@pytest.fixture(scope="module")
def samples():
    """Three quarters of a minute, with pauses."""
    pauses = (0.3, 0.8, 2.5, 0.1, 1.0, 0.7, 0.4, 0.9, 1.2, 2.0)
    return np.concatenate([spoken(SENTENCE, pause_s=pause_s) for pause_s in pauses])


@pytest.fixture(scope="module")
def pcm(samples) -> bytes:
    return s16le_from_samples(samples)


@pytest.fixture(scope="module")
def n_windows(samples) -> int:
    return len(windows_of(SileroVad().probabilities(samples), len(samples)))


def begun(hot_words="") -> Recording:
    recording = lifecycle.create(language="en", max_seconds=120, hot_words=hot_words)
    async_to_sync(lifecycle.open_for)(recording, writer="test")
    return recording


@async_to_sync
async def send(recording: Recording, pcm: bytes, start: int, end: int) -> None:
    await buffer.write(recording.id, writer="test", offset=start, pcm=pcm[start:end])
    await redis_connections.close_those_of_this_loop()


def given_in_pieces(pcm: bytes, ends: list[int]) -> Recording:
    """A recording that grows to each of `ends`, with a job on the way after each."""
    recording, start = begun(), 0
    for end in [*ends, len(pcm)]:
        send(recording, pcm, start, end)
        start = end
        transcription.recognise_on_the_way(str(recording.id))
    return recording


def transcript_of(recording: Recording, pcm: bytes) -> Transcript:
    lifecycle.seal(recording=recording, at_least=len(pcm), now=timezone.now())
    transcription.transcribe(str(recording.id))
    return Transcript.objects.get(recording=recording)


def fields(transcript: Transcript) -> tuple:
    return transcript.status, transcript.text, transcript.segments, transcript.confidence, transcript.engine


@pytest.fixture
def from_whole(engine, pcm):
    """The transcript of the same samples, made afterwards."""
    recording = begun()
    send(recording, pcm, 0, len(pcm))
    return fields(transcript_of(recording, pcm))


def test_nothing_is_left_at_the_end(engine, pcm, n_windows):
    recording = given_in_pieces(pcm, [len(pcm) // 3 * 2, len(pcm) // 4 * 2])
    engine.windows.clear()

    transcript = transcript_of(recording, pcm)

    assert transcript.status == Transcript.Status.DONE
    assert len(transcript.segments) == n_windows >= 3
    assert engine.windows == []
    assert kept.keys(recording.id) == []


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(1, 700_000).map(lambda n: 2 * n), max_size=6, unique=True))
def test_transcript_is_the_same_however_it_was_made(from_whole, engine, pcm, ends):
    recording = given_in_pieces(pcm, sorted(end for end in ends if end < len(pcm)))

    assert fields(transcript_of(recording, pcm)) == from_whole


def test_only_what_was_said_after_the_pause_is_left(engine, samples, pcm, n_windows):
    recording = given_in_pieces(pcm, [])
    whole = pcm + s16le_from_samples(spoken(SENTENCE, pause_s=0.5))
    send(recording, whole, len(pcm), len(whole))
    engine.windows.clear()

    transcript_of(recording, whole)

    assert len(engine.windows) == 1


@pytest.mark.parametrize("lost", ["everything", "a window"])
def test_lost_results_cost_time_only(from_whole, engine, pcm, lost):
    recording = given_in_pieces(pcm, [len(pcm) // 4 * 2])
    key = f"voice:recording:{recording.id}:kept"
    client = redis_clients.sync_client()
    first = next(name for name in client.hkeys(key) if name != b"progress")
    client.delete(key) if lost == "everything" else client.hdel(key, first)

    assert fields(transcript_of(recording, pcm)) == from_whole


def test_hot_words_are_expected_on_the_way_and_at_the_end(engine, samples, pcm):
    recording = begun(hot_words="Kafka")
    send(recording, pcm, 0, len(pcm))
    transcription.recognise_on_the_way(str(recording.id))
    whole = pcm + s16le_from_samples(spoken(SENTENCE, pause_s=0.5))
    send(recording, whole, len(pcm), len(whole))

    transcript_of(recording, whole)

    assert engine.hot_words == ["Kafka", "Kafka"]


def test_what_was_heard_with_other_hot_words_is_not_used(engine, pcm, n_windows):
    recording = given_in_pieces(pcm, [])
    engine.windows.clear()
    Recording.objects.update(hot_words="Kafka")

    transcript_of(recording, pcm)

    assert len(engine.windows) == n_windows


def test_hot_words_are_expected_without_windows_and_in_captions(monkeypatch, pcm):
    fake = FakeRecognition()
    monkeypatch.setattr(recognizer, "recognizer", lambda: recognizer.Recognizer([fake]))
    recording = begun(hot_words="Kafka")
    send(recording, pcm, 0, len(pcm))

    transcription.recognise_partial(str(recording.id), 0, 32_000, "en", "channel", "Kafka")
    transcript_of(recording, pcm)

    assert [heard.hot_words for heard in fake.heard] == ["Kafka", "Kafka"]


def test_what_another_model_heard_is_not_used(engine, pcm, n_windows):
    recording = given_in_pieces(pcm, [])
    engine.windows.clear()
    engine.model = "larger"

    transcript_of(recording, pcm)

    assert len(engine.windows) == n_windows


def test_nothing_is_kept_of_a_recording_that_is_discarded_meanwhile(engine, pcm):
    recording = begun()
    send(recording, pcm, 0, len(pcm))
    engine.during = lambda: lifecycle.discard(recording=recording)

    transcription.recognise_on_the_way(str(recording.id))

    assert len(engine.windows) > 0
    assert redis_clients.sync_client().keys(f"voice:recording:{recording.id}:kept") == []


def test_what_is_kept_too_late_for_erasing_is_erased_at_once(engine, pcm, monkeypatch):
    recording, write = begun(), kept.write
    send(recording, pcm, 0, len(pcm))

    def write_late(*arguments):
        lifecycle.discard(recording=recording)
        write(*arguments)

    monkeypatch.setattr(kept, "write", write_late)
    transcription.recognise_on_the_way(str(recording.id))

    assert len(engine.windows) > 0
    assert kept.keys(recording.id) == []


def test_erasing_forgets_what_was_recognised(engine, pcm):
    recording = given_in_pieces(pcm, [])
    had = kept.keys(recording.id)

    lifecycle.discard(recording=recording)

    assert had
    assert kept.keys(recording.id) == []


def test_recording_that_has_ended_is_left_to_its_own_job(engine, pcm):
    recording = begun()
    send(recording, pcm, 0, len(pcm))
    lifecycle.seal(recording=recording, at_least=len(pcm), now=timezone.now())

    transcription.recognise_on_the_way(str(recording.id))

    assert engine.windows == []


@pytest.mark.parametrize("is_stored", [False, True], ids=["", "and was stored"])
def test_the_end_waits_for_the_job_that_is_at_its_last_words(engine, pcm, n_windows, is_stored):
    recording, is_at_it, may_go_on = begun(), threading.Event(), threading.Event()
    send(recording, pcm, 0, len(pcm))
    engine.during = lambda: (is_at_it.set(), may_go_on.wait(60))
    ahead = threading.Thread(target=windowed.recognise_on_the_way, args=[recording])
    ahead.start()
    assert is_at_it.wait(60)
    waiting = kept.wait_for
    kept_names = []

    def wait_for(recording_id, names):
        kept_names.extend(names)
        if is_stored:
            storing.store(str(recording_id))
        may_go_on.set()
        return waiting(recording_id, names)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "wait_for", wait_for)
        transcript = transcript_of(recording, pcm)
    ahead.join(60)

    assert transcript.status == Transcript.Status.DONE
    assert len(kept_names) == n_windows
    assert len(engine.windows) == n_windows


def test_stored_recording_is_recognised_by_windows(from_whole, engine, pcm):
    recording = begun()
    send(recording, pcm, 0, len(pcm))
    lifecycle.seal(recording=recording, at_least=len(pcm), now=timezone.now())
    storing.store(str(recording.id))

    transcription.transcribe(str(recording.id))

    assert fields(Transcript.objects.get(recording=recording)) == from_whole


def test_engine_without_windows_hears_the_whole_recording(engine, pcm):
    engine.takes_windows = False
    recording = begun()
    send(recording, pcm, 0, len(pcm))

    transcription.recognise_on_the_way(str(recording.id))

    assert engine.windows == []
    assert kept.keys(recording.id) == []


def test_nothing_is_recognised_of_audio_that_is_gone(from_whole, engine, pcm):
    recording = given_in_pieces(pcm, [])
    before = kept.read(recording.id)
    engine.windows.clear()
    buffer.delete(recording.id)

    transcription.recognise_on_the_way(str(recording.id))

    assert engine.windows == []
    assert kept.read(recording.id) == before
