"""Failures of engines: retry, breaker and fallback together.

The tests do not wait: pauses are recorded, and keys in Redis are aged.
"""

import contextlib
import itertools

import numpy as np
import pytest

from voice import metrics
from voice.engines.base import SteadyEngine, matching_voice
from voice.errors import (
    AudioRejected,
    EngineUnavailable,
    LanguageUnsupported,
    RequestRefused,
    SynthesisFailed,
    TransientFailure,
    VoiceUnavailable,
)
from voice.inference import breaker
from voice.inference.breaker import Breaker
from voice.inference.recognizer import Recognizer
from voice.inference.retry import Retry
from voice.inference.synthesizer import Synthesizer
from voice.types import Recognition, Segment, SpeechChunk, Voice

SECOND = np.zeros(16_000, np.float32)
RATE_HZ = 22_050
BROKEN = TransientFailure("the vendor answered 503")


class Hears(SteadyEngine):
    """A recognition engine that fails as told: one entry of `outcomes` a call, None for success.

    segments: yielded one by one before the outcome.
    """

    model, device = "none", "cpu"

    def __init__(self, name, *outcomes, always=None, segments=(), load_error=None):
        self.name, self.outcomes, self.always = name, list(outcomes), always
        self.segments, self.load_error, self.calls = segments, load_error, 0

    def load(self):
        if self.load_error:
            raise self.load_error

    def supports(self, language):
        return True

    def recognize(self, samples, *, language, hot_words=None, is_partial=False, on_segments=None):
        self.calls += 1
        for segment in self.segments if on_segments else ():
            on_segments((segment,))
        if error := self.outcomes.pop(0) if self.outcomes else self.always:
            raise error
        return Recognition("yes", "en", 1.0, 1.0, (segment_of("yes"),), self.name, self.model)


class Speaks(SteadyEngine):
    """A synthesis engine that fails as told, after so many sentences (`after`)."""

    model, device = "none", "cpu"

    def __init__(self, name, *outcomes, always=None, after=0, rate_hz=RATE_HZ, languages=("en",)):
        self.name, self.outcomes, self.always = name, list(outcomes), always
        self.after, self.rate_hz, self.calls, self.wanted = after, rate_hz, 0, {}
        self._voices = tuple(
            Voice(f"{name}:{language}", language, language, name, "neural", rate_hz) for language in languages
        )

    def load(self):
        pass

    def voices(self):
        return self._voices

    def synthesize(self, text, *, voice, language, **wanted):
        self.calls += 1
        self.wanted = wanted
        matching_voice(self._voices, voice=voice, language=language)
        error = self.outcomes.pop(0) if self.outcomes else self.always
        for index, sentence in enumerate(text.split(". ")):
            if error and index == self.after:
                raise error
            yield SpeechChunk(np.ones(len(sentence), np.float32), self.rate_hz, sentence)


def segment_of(text):
    return Segment(text, 0.0, 1.0, -0.1, 0.0)


@pytest.fixture(autouse=True)
def _asks_redis_each_time(clean_redis, monkeypatch):
    monkeypatch.setattr(breaker, "CLOSED_FOR_S", 0)


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def recognizer(pauses):
    """A function that makes a recogniser of these engines."""
    return lambda *engines: Recognizer(engines, retry=Retry(sleep=pauses.append))


@pytest.fixture
def synthesizer(pauses):
    """A function that makes a synthesiser of these engines."""
    return lambda *engines: Synthesizer(engines, retry=Retry(sleep=pauses.append))


def hear(recognizer, **options):
    return recognizer.recognize(SECOND, language="en", **options)


def stream(synthesizer, text="One. Two. Three", **options):
    return synthesizer.stream(text, **{"voice": None, "language": "en"} | options)


def counted(metric, *labels):
    return metric.labels(*labels)._value.get()


def breaker_of(engine):
    return Breaker("recognition", engine.name).state()


def open_breaker(engine):
    seen = Breaker("recognition", engine.name)
    for _ in range(5):
        seen.admit().failed(BROKEN)


def let_time_pass(clean_redis, engine):
    clean_redis.pexpire(breaker.keys_of("recognition", engine.name)[1], 0)


# Retry


def test_transient_failure_then_success_needs_no_other_engine(recognizer, pauses):
    first, second = Hears("first", BROKEN, BROKEN), Hears("second")
    retries = counted(metrics.ENGINE_RETRIES, "recognition", "first")

    assert hear(recognizer(first, second)).engine == "first"

    assert (first.calls, second.calls, len(pauses)) == (3, 0, 2)
    assert counted(metrics.ENGINE_RETRIES, "recognition", "first") == retries + 2
    assert breaker_of(first).failures == 0


def test_permanent_failure_goes_to_the_next_engine_at_once(recognizer, pauses):
    first, second = Hears("first", always=EngineUnavailable("no key")), Hears("second")
    fallbacks = counted(metrics.ENGINE_FALLBACKS, "recognition", "first", "second")
    failures = counted(metrics.ENGINE_FAILURES, "recognition", "first", "unavailable")

    assert hear(recognizer(first, second)).engine == "second"

    assert (first.calls, pauses) == (1, [])
    assert counted(metrics.ENGINE_FALLBACKS, "recognition", "first", "second") == fallbacks + 1
    assert counted(metrics.ENGINE_FAILURES, "recognition", "first", "unavailable") == failures + 1


def test_transient_failure_that_lasts_goes_to_the_next_engine(recognizer, pauses):
    first, second = Hears("first", always=BROKEN), Hears("second")

    assert hear(recognizer(first, second)).engine == "second"
    assert (first.calls, len(pauses)) == (3, 2)


def test_caption_is_never_tried_again(recognizer, pauses):
    first, second = Hears("first", always=BROKEN), Hears("second")

    assert hear(recognizer(first, second), is_partial=True).engine == "second"
    assert (first.calls, pauses) == (1, [])


# Breaker


def test_engine_that_failed_five_calls_in_a_row_is_not_called(recognizer, pauses):
    first, second = Hears("first", always=BROKEN), Hears("second")
    chain = recognizer(first, second)

    engines = [hear(chain).engine for _ in range(7)]

    assert engines == ["second"] * 7
    assert first.calls == 5 * 3  # three tries for each call


@pytest.mark.parametrize("is_whole", [True, False])
def test_call_that_fails_at_every_try_counts_once(synthesizer, is_whole):
    chain = synthesizer(Speaks("first", always=BROKEN), Speaks("second"))
    failures = counted(metrics.ENGINE_FAILURES, "synthesis", "first", "transient")
    retries = counted(metrics.ENGINE_RETRIES, "synthesis", "first")

    if is_whole:
        chain.synthesize("One", voice=None, language="en")
    else:
        list(stream(chain))

    assert Breaker("synthesis", "first").state().failures == 1
    assert counted(metrics.ENGINE_FAILURES, "synthesis", "first", "transient") == failures + 3
    assert counted(metrics.ENGINE_RETRIES, "synthesis", "first") == retries + 2


def test_call_that_succeeds_at_a_later_try_ends_the_row(recognizer):
    first = Hears("first", *[EngineUnavailable("no device")] * 4, BROKEN)
    chain = recognizer(first, Hears("second"))
    for _ in range(4):
        hear(chain)
    assert breaker_of(first).failures == 4

    assert hear(chain).engine == "first"
    assert breaker_of(first).failures == 0


def test_another_process_leaves_the_engine_alone_too(recognizer):
    first = Hears("first", always=EngineUnavailable("no key"))
    for _ in range(5):
        hear(recognizer(first, Hears("second")))
    elsewhere = Hears("first")

    assert hear(recognizer(elsewhere, Hears("second"))).engine == "second"
    assert elsewhere.calls == 0


def test_engine_that_recovered_serves_again_after_two_probes(recognizer, clean_redis):
    first, second = Hears("first"), Hears("second")
    chain = recognizer(first, second)
    open_breaker(first)
    assert hear(chain).engine == "second"

    let_time_pass(clean_redis, first)
    engines = [hear(chain).engine for _ in range(2)]

    assert engines == ["first", "first"]
    assert breaker_of(first).name == "closed"


def test_probe_that_fails_at_every_try_opens_the_breaker_again(recognizer, clean_redis):
    first, second = Hears("first", always=BROKEN), Hears("second")
    open_breaker(first)
    let_time_pass(clean_redis, first)

    assert hear(recognizer(first, second)).engine == "second"

    assert first.calls == 3
    assert breaker_of(first).name == "open"


def test_probe_that_succeeds_at_its_second_try_is_a_good_one(recognizer, clean_redis):
    first = Hears("first", BROKEN, None, BROKEN)
    chain = recognizer(first, Hears("second"))
    open_breaker(first)
    let_time_pass(clean_redis, first)

    assert [hear(chain).engine for _ in range(2)] == ["first", "first"]
    assert breaker_of(first).name == "closed"


def test_reset_lets_the_engine_serve_at_once(recognizer):
    first, second = Hears("first"), Hears("second")
    open_breaker(first)
    chain = recognizer(first, second)
    assert hear(chain).engine == "second"

    Breaker("recognition", "first").reset()

    assert hear(chain).engine == "first"


@pytest.mark.parametrize("error", [AudioRejected("NaN"), RequestRefused("speed", "0.5 to 2.0")])
def test_bad_request_is_told_at_once_and_blames_no_engine(recognizer, error):
    first, second = Hears("first", always=error), Hears("second")
    chain = recognizer(first, second)

    for _ in range(6):
        with pytest.raises(type(error)):
            hear(chain)

    assert (first.calls, second.calls) == (6, 0)
    assert breaker_of(first).failures == 0


@pytest.mark.parametrize("error", [LanguageUnsupported("no Greek"), SynthesisFailed("a text of dots")])
def test_text_that_cannot_be_spoken_blames_no_engine(synthesizer, error):
    first = Speaks("first", always=error)
    chain = synthesizer(first, Speaks("second"))

    engines = {stream(chain).engine for _ in range(6)}

    assert engines == {"second"}
    assert first.calls == 6


def test_engine_that_cannot_be_loaded_here_may_serve_elsewhere(recognizer):
    broken = Hears("first", load_error=EngineUnavailable("no model"))
    for _ in range(6):
        hear(recognizer(broken, Hears("second")))

    assert hear(recognizer(Hears("first"), Hears("second"))).engine == "first"


def test_voice_that_cannot_be_loaded_does_not_blame_its_engine(synthesizer):
    first = Speaks("first", *[VoiceUnavailable("the file is cut off")] * 6)
    chain = synthesizer(first, Speaks("second"))
    failures = counted(metrics.ENGINE_FAILURES, "synthesis", "first", "unavailable")

    engines = [stream(chain).engine for _ in range(7)]

    assert engines == ["second"] * 6 + ["first"]
    assert Breaker("synthesis", "first").state().failures == 0
    assert counted(metrics.ENGINE_FAILURES, "synthesis", "first", "unavailable") == failures + 6


def test_engine_that_is_left_alone_is_not_loaded(recognizer):
    first = Hears("first", load_error=AssertionError("loaded"))
    open_breaker(first)

    assert hear(recognizer(first, Hears("second"))).engine == "second"


def test_probe_whose_engine_cannot_be_loaded_leaves_the_next_to_others(recognizer, clean_redis):
    broken = Hears("first", load_error=EngineUnavailable("no model"))
    open_breaker(broken)
    let_time_pass(clean_redis, broken)

    assert hear(recognizer(broken, Hears("second"))).engine == "second"
    assert hear(recognizer(Hears("first"), Hears("second"))).engine == "first"


# Fallback


def test_fault_of_ours_in_one_engine_is_counted_and_the_next_serves(recognizer):
    first = Hears("first", always=ValueError("a sentence that somebody said"))
    failures = counted(metrics.ENGINE_FAILURES, "recognition", "first", "unexpected")

    assert hear(recognizer(first, Hears("second"))).engine == "second"

    assert counted(metrics.ENGINE_FAILURES, "recognition", "first", "unexpected") == failures + 1
    assert breaker_of(first).reason == "ValueError"


def test_input_that_breaks_every_engine_is_told_as_what_it_is(recognizer):
    chain = recognizer(Hears("first", always=ValueError("a fault")), Hears("second", always=BROKEN))

    with pytest.raises(ValueError, match="a fault"):
        hear(chain)


def test_all_engines_down_tells_every_reason(recognizer, pauses):
    first, second = Hears("first"), Hears("second", always=BROKEN)
    third = Hears("third", load_error=EngineUnavailable("no wheel"))
    open_breaker(first)

    with pytest.raises(EngineUnavailable) as failed:
        hear(recognizer(first, second, third))

    told = str(failed.value)
    assert "first: left alone for 60 s after failures; the last failure: the vendor answered 503" in told
    assert "second: the vendor answered 503" in told
    assert "third: no wheel" in told


def test_all_breakers_open_calls_nobody(recognizer):
    engines = Hears("first"), Hears("second")
    for engine in engines:
        open_breaker(engine)

    with pytest.raises(EngineUnavailable, match=r"first: left alone.*second: left alone"):
        hear(recognizer(*engines))
    assert [engine.calls for engine in engines] == [0, 0]


def test_redis_away_changes_nothing_for_the_caller(recognizer, monkeypatch):
    import redis

    away = redis.Redis(port=1, retry=None)
    monkeypatch.setattr(breaker, "_default_connection", lambda: away)

    chain = recognizer(Hears("first", EngineUnavailable("no key")), Hears("second"))
    assert [hear(chain).engine for _ in range(2)] == ["second", "first"]


# Segments as they become final


def test_segments_are_handed_out_once_at_the_end_when_the_engine_does_not(recognizer):
    handed_out = []

    result = hear(recognizer(Hears("first")), on_segments=handed_out.append)

    assert handed_out == [result.segments]


def test_segments_of_the_engine_are_not_repeated_at_the_end(recognizer):
    parts = segment_of("a"), segment_of("b")
    handed_out = []

    hear(recognizer(Hears("first", segments=parts)), on_segments=handed_out.append)

    assert handed_out == [(parts[0],), (parts[1],)]


@pytest.mark.parametrize("error", [BROKEN, EngineUnavailable("device lost")])
def test_failure_after_the_first_segment_is_told(recognizer, pauses, error):
    first, second = Hears("first", always=error, segments=(segment_of("a"),)), Hears("second")
    handed_out = []

    with pytest.raises(type(error)):
        hear(recognizer(first, second), on_segments=handed_out.append)

    assert (len(handed_out), first.calls, second.calls, pauses) == (1, 1, 0, [])
    assert breaker_of(first).failures == 1


def test_listener_that_fails_does_not_blame_the_engine(recognizer):
    first = Hears("first", segments=(segment_of("a"),))

    def gone(segments):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        hear(recognizer(first, Hears("second")), on_segments=gone)
    assert breaker_of(first).failures == 0


# Streams of speech


def test_stream_is_known_from_its_first_chunk_and_made_as_it_is_read(synthesizer):
    engine = Speaks("first", always=BROKEN, after=2)

    speech = stream(synthesizer(engine))

    assert (speech.engine, speech.voice, speech.sample_rate_hz) == ("first", "first:en", RATE_HZ)
    assert not speech.is_last_resort
    assert [next(speech).text, next(speech).text] == ["One", "Two"]
    with pytest.raises(TransientFailure):
        next(speech)


def test_stream_that_breaks_before_its_first_chunk_is_tried_again(synthesizer, pauses):
    first, second = Speaks("first", BROKEN), Speaks("second")

    speech = stream(synthesizer(first, second))

    assert [chunk.text for chunk in speech] == ["One", "Two", "Three"]
    assert (speech.engine, first.calls, second.calls, len(pauses)) == ("first", 2, 0, 1)


def test_stream_that_cannot_begin_is_spoken_by_the_next_engine_at_its_rate(synthesizer):
    first, second = Speaks("first", always=EngineUnavailable("no key")), Speaks("second", rate_hz=24_000)

    speech = stream(synthesizer(first, second), voice="first:en")

    assert (speech.engine, speech.voice, speech.sample_rate_hz) == ("second", "second:en", 24_000)
    assert len(list(speech)) == 3


@pytest.mark.parametrize("error", [BROKEN, EngineUnavailable("device lost"), SynthesisFailed("too long")])
def test_stream_that_breaks_after_its_first_chunk_tells_so(synthesizer, pauses, error):
    first, second = Speaks("first", always=error, after=1), Speaks("second")
    speech = stream(synthesizer(first, second))
    assert next(speech).text == "One"

    with pytest.raises(type(error)):
        next(speech)

    assert (first.calls, second.calls, pauses) == (1, 0, [])


def test_streams_that_break_in_the_middle_open_the_breaker(synthesizer):
    chain = synthesizer(Speaks("first", always=BROKEN, after=1), Speaks("second"))
    for _ in range(5):
        with contextlib.suppress(TransientFailure):
            list(stream(chain))

    assert stream(chain).engine == "second"


def test_stream_that_nobody_reads_to_its_end_was_good(synthesizer, clean_redis):
    seen = Breaker("synthesis", "first")
    for _ in range(5):
        seen.admit().failed(BROKEN)
    clean_redis.pexpire(breaker.keys_of("synthesis", "first")[1], 0)
    chain = synthesizer(Speaks("first"))

    for _ in range(2):
        speech = stream(chain)
        next(speech)
        speech.close()

    assert seen.state().name == "closed"


def test_whole_speech_that_breaks_in_the_middle_is_tried_again(synthesizer, pauses):
    first = Speaks("first", BROKEN, after=1)

    result = synthesizer(first, Speaks("second")).synthesize("One. Two", voice=None, language="en")

    assert (result.engine, len(result.samples), first.calls, len(pauses)) == ("first", 6, 2, 1)


def test_whole_speech_may_be_begun_anew_by_another_engine(synthesizer):
    chain = synthesizer(
        Speaks("first", always=SynthesisFailed("too long"), after=1), Speaks("second", rate_hz=16_000)
    )

    result = chain.synthesize("One. Two", voice=None, language="en")

    assert (result.engine, result.sample_rate_hz, len(result.samples)) == ("second", 16_000, 6)


def test_speed_and_emotion_reach_the_engine_and_only_when_given(synthesizer):
    engine = Speaks("first")

    list(stream(synthesizer(engine), speed=1.5, emotion="cheerful"))
    assert engine.wanted == {"speed": 1.5, "emotion": "cheerful"}

    list(stream(synthesizer(engine)))
    assert engine.wanted == {"speed": 1.0}


# Measuring


def test_engine_time_and_real_time_factor_are_measured(recognizer, synthesizer):
    def observed(metric, *labels):
        samples = {s.name.rpartition("_")[2]: s.value for s in metric.labels(*labels)._child_samples()}
        return samples["count"]

    labels = ("recognition", "measured"), ("synthesis", "measured")

    hear(recognizer(Hears("measured")))
    list(stream(synthesizer(Speaks("measured"))))

    for label in labels:
        assert observed(metrics.ENGINE_SECONDS, *label) == 1
        assert observed(metrics.ENGINE_REAL_TIME_FACTOR, *label) == 1


def test_time_of_a_slow_listener_is_not_the_engines(synthesizer, monkeypatch):
    clock = itertools.count()  # each look at the clock is a second later
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    total = metrics.ENGINE_SECONDS.labels("synthesis", "slow")._sum

    for _ in stream(synthesizer(Speaks("slow"))):
        for _ in range(100):
            next(clock)

    assert total.get() == 4  # three sentences and the end
