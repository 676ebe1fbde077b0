"""Turns in streams with loudness as the speech probability, then in real speech with the real models."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.silero import OriginalStream
from tests.speech import recordings, spoken
from voice.audio.pcm import byte_at, s16le_from_samples, samples_from_s16le
from voice.engines.vad.silero import SileroVad, heard_together
from voice.engines.vad.smart_turn import SmartTurn
from voice.errors import EngineUnavailable
from voice.live.turn_detection import (
    FRAME_MS,
    SpeechEnded,
    SpeechStarted,
    TurnDetector,
    TurnEnded,
    TurnQuestioned,
    TurnSettings,
    feed_together,
)

SEMANTIC = TurnSettings(is_semantic=True, question_ms=600)
THINKING_ALOUD = TurnSettings(is_semantic=True)
BLOCK_MS = 8 * FRAME_MS


def loudness(samples):
    """Return the level of each frame as a speech probability."""
    return np.abs(samples.reshape(-1, 512)).max(axis=1)


def sound(*parts):
    """PCM from (level 0..1, milliseconds) parts."""
    return b"".join(s16le_from_samples(np.full(ms * 16, level, np.float32)) for level, ms in parts)


def detector(turn_settings=None, **options):
    return TurnDetector(loudness, turn_settings, **options)


def seconds(event):
    return round(event.timestamp_s, 3)


def test_silence_gives_no_event():
    assert detector().feed(sound((0, 10_240))) == []


def test_speech_and_silence_end_a_turn():
    events = detector().feed(sound((0, 512), (0.9, 1024), (0, 4096)))

    assert events == [SpeechStarted(0.512), SpeechEnded(1.536), TurnEnded(4.064, "silence")]


def test_a_pause_of_a_second_and_a_half_ends_no_turn():
    events = detector().feed(sound((0.9, 1024), (0, 1536), (0.9, 1024), (0, 512)))

    assert events == [SpeechStarted(0.0), SpeechEnded(1.024), SpeechStarted(2.56)]


def test_a_gap_between_words_is_no_pause():
    assert detector().feed(sound((0.9, 1024), (0, 512), (0.9, 512))) == [SpeechStarted(0.0)]


def test_a_cough_ends_no_turn_and_is_forgotten():
    coughs = [(0.9, 128), (0, 3968)] * 3

    events = detector().feed(sound(*coughs))

    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded] * 3


def test_a_level_between_the_thresholds_keeps_what_was():
    events = detector().feed(sound((0.4, 1024), (0.9, 512), (0.4, 1024), (0, 1024), (0.4, 1024)))

    assert events == [SpeechStarted(1.024), SpeechEnded(2.56)]


def test_a_second_turn_follows_the_first():
    events = detector().feed(sound((0.9, 1024), (0, 3072), (0.9, 1024), (0, 3072)))

    assert [event.reason for event in events if isinstance(event, TurnEnded)] == ["silence", "silence"]


def test_the_clock_starts_where_the_stream_is_joined():
    assert detector(start_s=100.0).feed(sound((0, 512), (0.9, 512))) == [SpeechStarted(100.512)]


@pytest.mark.parametrize("start_s", [0.0, 100.0])
def test_a_pause_raises_a_question_about_the_turn_so_far(start_s):
    events = detector(SEMANTIC, start_s=start_s).feed(sound((0, 2048), (0.9, 1024), (0, 1024)))

    question = events[-1]
    assert isinstance(question, TurnQuestioned)
    # 3.072 s and 19 frames, the first count that reaches 600 ms
    assert question.timestamp_s - start_s == pytest.approx(3.68)
    assert question.start_s - start_s == pytest.approx(2.048 - 0.480)  # lead of 15 whole frames


def test_a_question_is_about_nothing_before_the_stream():
    events = detector(SEMANTIC, start_s=100.0).feed(sound((0.9, 1024), (0, 1024)))

    assert events[-1].start_s == 100.0


def test_a_question_waits_for_more_than_a_second_and_a_half():
    turn = detector(THINKING_ALOUD)

    assert turn.feed(sound((0.9, 1024), (0, 1536), (0.9, 1024))) == [
        SpeechStarted(0.0),
        SpeechEnded(1.024),
        SpeechStarted(2.56),
    ]
    ended, question = turn.feed(sound((0, 2048)))
    assert ended == SpeechEnded(3.584)
    assert seconds(question) == 5.6  # 63 frames, the first count that reaches 2 000 ms


def test_a_pause_is_asked_about_once():
    events = detector(THINKING_ALOUD).feed(sound((0.9, 1024), (0, 2304), (0.9, 512), (0, 2304)))

    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded, TurnQuestioned] * 2


def test_a_question_is_about_no_more_than_eight_seconds():
    events = detector(SEMANTIC).feed(sound((0.9, 20_480), (0, 1024)))

    assert events[-1].timestamp_s - events[-1].start_s == pytest.approx(8.0)


def test_no_question_is_raised_by_a_cough():
    events = detector(SEMANTIC).feed(sound((0.9, 128), (0, 1024)))

    assert not any(isinstance(event, TurnQuestioned) for event in events)


def test_a_complete_turn_ends_at_its_question():
    turn = detector(SEMANTIC)
    question = turn.feed(sound((0.9, 1024), (0, 1024)))[-1]

    assert turn.answer(question, 0.5) == [TurnEnded(question.timestamp_s, "semantic")]
    assert turn.feed(sound((0, 5120))) == []


def test_an_incomplete_turn_waits_for_silence():
    turn = detector(SEMANTIC)
    question = turn.feed(sound((0.9, 1024), (0, 1024)))[-1]

    assert turn.answer(question, 0.49) == []
    assert [event.reason for event in turn.feed(sound((0, 2048)))] == ["silence"]


def test_an_unanswered_question_leaves_it_to_silence():
    events = detector(SEMANTIC).feed(sound((0.9, 1024), (0, 3072)))

    assert events[-1] == TurnEnded(3.552, "silence")


def test_an_answer_after_speech_went_on_changes_nothing():
    turn = detector(SEMANTIC)
    question = turn.feed(sound((0.9, 1024), (0, 1024)))[-1]
    turn.feed(sound((0.9, 512)))

    assert turn.answer(question, 1.0) == []


def test_an_answer_given_twice_ends_the_turn_once():
    turn = detector(SEMANTIC)
    question = turn.feed(sound((0.9, 1024), (0, 1024)))[-1]
    turn.answer(question, 1.0)

    assert turn.answer(question, 1.0) == []


def test_finish_ends_the_turn_under_way():
    turn = detector()
    turn.feed(sound((0.9, 1100)))

    assert turn.finish() == [SpeechEnded(1.088), TurnEnded(1.088, "finished")]
    assert turn.finish() == []


def test_finish_in_silence_gives_nothing():
    turn = detector()
    turn.feed(sound((0, 700)))

    assert turn.finish() == []


def test_digital_silence_is_not_shown_to_the_model():
    asked = []
    turn = TurnDetector(lambda samples: asked.append(len(samples)) or loudness(samples))

    turn.feed(sound((0, 2048), (0.9, 256), (0.0003, 2048)))

    assert asked == [4096]


@pytest.mark.parametrize(
    "wrong",
    [
        {"silence_threshold": 0.9},
        {"speech_threshold": 1.5},
        {"pause_ms": 0},
        {"pause_ms": 2100},
        {"question_ms": 500},
        {"question_ms": 2600},
    ],
)
def test_settings_that_contradict_each_other_are_refused(wrong):
    with pytest.raises(ValueError, match=r"Thresholds|Silences"):
        TurnSettings(**wrong)


PARTS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.0, 0.4, 0.9]), st.integers(1, 4000)), min_size=1, max_size=8
)
CUTS = st.lists(st.integers(0, 20_000), min_size=1, max_size=30)


def fed_in_pieces(turn, pcm, sizes):
    events, start = [], 0
    for size in sizes:
        events += turn.feed(pcm[start : start + size])
        start += size
    return events + turn.feed(pcm[start:]) + turn.finish()


@settings(max_examples=100, deadline=None)
@given(parts=PARTS, sizes=CUTS)
def test_any_split_of_the_same_pcm_gives_the_same_events(parts, sizes):
    pcm = sound(*parts)

    whole, pieces = (fed_in_pieces(detector(SEMANTIC), pcm, cuts) for cuts in ([], sizes))

    assert pieces == whole


def one_by_one(streams, samples):
    return np.stack([stream(row) for stream, row in zip(streams, samples, strict=True)])


@settings(max_examples=100, deadline=None)
@given(streams=st.lists(st.tuples(PARTS, CUTS), min_size=1, max_size=4))
def test_streams_fed_together_give_what_each_gives_alone(streams):
    pcms, cuts = [sound(*parts) for parts, _ in streams], [[*cuts, 10**9] for _, cuts in streams]
    turns = [detector(SEMANTIC) for _ in streams]
    events = [[] for _ in streams]

    for number in range(max(len(sizes) for sizes in cuts)):
        pieces = [
            (turn, pcm[sum(sizes[:number]) : sum(sizes[: number + 1])])
            for turn, pcm, sizes in zip(turns, pcms, cuts, strict=True)
        ]
        for told, more in zip(events, feed_together(pieces, one_by_one), strict=True):
            told += more

    assert events == [detector(SEMANTIC).feed(pcm) for pcm in pcms]


@settings(max_examples=100, deadline=None)
@given(parts=PARTS, sizes=CUTS)
def test_events_come_in_order_and_speech_starts_and_ends_in_turns(parts, sizes):
    events = fed_in_pieces(detector(SEMANTIC), sound(*parts), sizes)

    speech = [type(event) for event in events if isinstance(event, SpeechStarted | SpeechEnded)]
    assert speech == [SpeechStarted, SpeechEnded] * (len(speech) // 2)
    # an end of speech has the time at which the pause began, before it was detected
    assert [e.timestamp_s for e in events] == sorted(e.timestamp_s for e in events)


@pytest.fixture(scope="module")
def vad():
    vad = SileroVad()
    vad.load()
    return vad


@settings(max_examples=8, deadline=None)
@given(sizes=CUTS)
def test_any_split_of_real_speech_gives_the_same_events(vad, sizes):
    pcm = s16le_from_samples(spoken("I worked there.", pause_s=1.0)) * 2

    assert fed_in_pieces(TurnDetector(vad.stream(), SEMANTIC), pcm, sizes) == fed_in_pieces(
        TurnDetector(vad.stream(), SEMANTIC), pcm, []
    )


def test_real_speech_ends_by_silence(vad):
    turn = TurnDetector(vad.stream())

    events = turn.feed(s16le_from_samples(spoken("I worked on a large project for two years.", pause_s=4)))

    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded, TurnEnded]
    assert events[0].timestamp_s < 0.3
    assert 2.0 < events[1].timestamp_s < 2.8


@pytest.mark.parametrize(
    ("text", "is_complete"),
    [
        ("I worked on a large project for two years.", True),
        ("I worked on a large project for two years and then I", False),
    ],
)
def test_smart_turn_tells_a_pause_from_an_end(vad, text, is_complete, smart_turn):
    turn = TurnDetector(vad.stream(), SEMANTIC)
    pcm = s16le_from_samples(spoken(text, pause_s=1.0))
    question = next(event for event in turn.feed(pcm) if isinstance(event, TurnQuestioned))

    ended = turn.answer(question, smart_turn.probability(asked_about(question, pcm)))

    assert [event.reason for event in ended] == (["semantic"] if is_complete else [])


@pytest.fixture(scope="module")
def smart_turn():
    model = SmartTurn()
    try:
        model.load()
    except EngineUnavailable as error:
        pytest.skip(str(error))
    return model


RECORDINGS = [recording for language in ("en", "de", "es", "fr") for recording in recordings(language)]


@pytest.mark.skipif(not RECORDINGS, reason="the recordings of people are not at hand")
@pytest.mark.parametrize("noise_level", [0.0, 0.001], ids=["digital silence", "a quiet room"])
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.file)
def test_a_person_who_thinks_for_a_second_and_a_half_is_not_cut_off(vad, smart_turn, recording, noise_level):
    samples = recording.samples()
    pcm, speech_ends_s = with_thinking_pauses(samples, vad, noise_level)

    ended = turns_ended(TurnDetector(vad.stream(), THINKING_ALOUD), pcm, smart_turn)

    assert len(ended) == 1
    silence_s = ended[0].timestamp_s - speech_ends_s
    assert 1.5 < silence_s < 2.7  # the model decides after 2 s; without it the limit is 2.5 s


@pytest.mark.skipif(not RECORDINGS, reason="the recordings of people are not at hand")
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.file)
def test_a_person_who_thinks_is_not_cut_off_where_there_is_no_model(vad, recording):
    pcm, speech_ends_s = with_thinking_pauses(recording.samples(), vad, 0.001)

    events = TurnDetector(vad.stream()).feed(pcm)

    ended = [event for event in events if isinstance(event, TurnEnded)]
    assert [event.reason for event in ended] == ["silence"]
    assert 2.2 < ended[0].timestamp_s - speech_ends_s < 2.7


ROOMS = [
    ("no noise", 0),
    ("no noise", -20),
    ("white 20 dB", 6),
    ("white 5 dB", 0),
    ("voices 20 dB", -20),
    ("voices 5 dB", 0),
    ("hum 10 dB", 6),
]


@pytest.mark.skipif(not RECORDINGS, reason="the recordings of people are not at hand")
@pytest.mark.parametrize(("noise", "gain_db"), ROOMS)
def test_many_people_heard_together_give_what_the_original_model_gives_of_each(vad, noise, gain_db):
    everybody = [recording.samples() for recording in RECORDINGS]
    pcms = [
        s16le_from_samples(with_noise(with_pauses(samples), noise, everybody) * 10 ** (gain_db / 20))
        for samples in everybody
    ]
    turns = [TurnDetector(vad.stream(), SEMANTIC) for _ in pcms]
    events = [[] for _ in pcms]

    for start in range(0, max(map(len, pcms)), 8000):
        pieces = [(turn, pcm[start : start + 8000]) for turn, pcm in zip(turns, pcms, strict=True)]
        for told, more in zip(events, feed_together(pieces, heard_together), strict=True):
            told += more

    assert events == [TurnDetector(OriginalStream(), SEMANTIC).feed(pcm) for pcm in pcms]


def with_pauses(samples):
    """Insert evenly spread pauses of 0.7, 1.5, 2.2 and 3 s into `samples`, and 4 s of silence at the end."""
    pieces = np.array_split(samples, 5)
    silences = [np.zeros(int(s * 16_000), np.float32) for s in (0.7, 1.5, 2.2, 3.0, 4.0)]
    return np.concatenate([part for both in zip(pieces, silences, strict=True) for part in both])


def with_noise(samples, noise, everybody):
    """Add noise to `samples`, this many dB below the speech."""
    if noise == "no noise":
        return samples
    kind, level_db, _ = noise.split()
    time_s = np.arange(len(samples)) / 16_000
    added = {
        "white": lambda: np.random.default_rng(5).standard_normal(len(samples)),
        "voices": lambda: sum(
            np.resize(np.roll(other, len(samples) // 2), len(samples)) for other in everybody
        ),
        "hum": lambda: sum(
            np.sin(2 * np.pi * 50 * harmonic * time_s) / harmonic for harmonic in (1, 2, 3, 5)
        ),
    }[kind]()
    speech = samples[np.abs(samples) > 0.01]
    scale = 10 ** (-int(level_db) / 20) * speech.std() / added.std()
    return (samples + scale * added).astype(np.float32)


def with_thinking_pauses(samples, vad, noise_level):
    """Insert 1.5 s of room noise into `samples` where the speaker did not pause, and 4 s at the end.

    Also return when the speech ends, in seconds.
    """
    noise = np.random.default_rng(3).standard_normal(4 * 16_000).astype(np.float32) * noise_level
    is_speech = vad.probabilities(samples) > 0.5
    first, last = (int(end) for end in np.flatnonzero(is_speech)[[0, -1]])
    cuts = [at for at in range(first + 20, last - 20, 40) if is_speech[at - 8 : at + 8].all()]
    pieces = np.split(samples[: (last + 1) * 512], [cut * 512 for cut in cuts])
    thinking = [part for piece in pieces for part in (piece, noise[:24_000])][:-1]
    whole = np.concatenate(thinking)
    return s16le_from_samples(np.concatenate([whole, noise])), len(whole) / 16_000


def asked_about(question, pcm):
    return samples_from_s16le(pcm[byte_at(question.start_s) : byte_at(question.timestamp_s)])


def turns_ended(turn, pcm, smart_turn):
    """Return the ends of turns in a stream sent as by a browser, with every question answered at once."""
    ended = []
    for start in range(0, len(pcm), 8000):
        for event in turn.feed(pcm[start : start + 8000]):
            asked = isinstance(event, TurnQuestioned)
            told = turn.answer(event, smart_turn.probability(asked_about(event, pcm))) if asked else [event]
            ended += [one for one in told if isinstance(one, TurnEnded)]
    return ended
