import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.engines import registry
from voice.errors import EngineUnavailable
from voice.inference.speakers import SpokenSegment, assign_speakers, speaker_name
from voice.types import Segment, SpeakerTurn, Word


def said(text: str, start_s: float = 0.0, *, word_s: float = 1.0) -> Segment:
    words = tuple(
        Word(word, start_s + number * word_s, start_s + (number + 1) * word_s, 0.9)
        for number, word in enumerate(text.replace(",", "").split())
    )
    return Segment(text, start_s, words[-1].end_s, -0.2, 0.01, words)


def texts(spoken: tuple[SpokenSegment, ...]) -> list[tuple[int | None, str]]:
    return [(piece.speaker, piece.segment.text) for piece in spoken]


def test_a_segment_within_a_turn_stays_as_it_is():
    segment = said("Tell me more")

    assert assign_speakers([segment], [SpeakerTurn(0, 0, 10)]) == (SpokenSegment(0, segment),)


def test_a_segment_is_cut_where_the_speaker_changes():
    segment = said("Shall we begin, yes of course", 5.0)

    spoken = assign_speakers([segment], [SpeakerTurn(0, 4.0, 8.2), SpeakerTurn(1, 8.3, 12.0)])

    assert texts(spoken) == [(0, "Shall we begin,"), (1, "yes of course")]
    assert [(piece.segment.start_s, piece.segment.end_s) for piece in spoken] == [(5.0, 8.0), (8.0, 11.0)]
    assert [len(piece.segment.words) for piece in spoken] == [3, 3]
    assert spoken[0].segment.avg_logprob == segment.avg_logprob


def test_a_script_without_spaces_is_cut_without_spaces():
    words = (Word("你好", 0, 1, 1), Word("你", 1, 2, 1), Word("好", 2, 3, 1))
    segment = Segment("你好。你好！", 0, 3, -0.1, 0, words)

    assert texts(assign_speakers([segment], [SpeakerTurn(0, 0, 1), SpeakerTurn(1, 1, 3)])) == [
        (0, "你好。"),
        (1, "你好！"),
    ]


def test_of_two_turns_at_once_the_longer_overlap_counts():
    assert texts(assign_speakers([said("Well")], [SpeakerTurn(0, 0, 0.4), SpeakerTurn(1, 0.3, 1)])) == [
        (1, "Well")
    ]


def test_a_word_beside_a_turn_belongs_to_the_nearest():
    turns = [SpeakerTurn(0, 0.0, 1.0), SpeakerTurn(1, 3.5, 9.0)]

    assert texts(assign_speakers([said("Yes", 1.5)], turns)) == [(0, "Yes")]


def test_a_word_far_from_every_turn_is_nobody_s():
    assert texts(assign_speakers([said("Hm", 50.0)], [SpeakerTurn(0, 0, 1)])) == [(None, "Hm")]
    assert texts(assign_speakers([said("Hm")], [])) == [(None, "Hm")]


def test_a_segment_without_words_stays_whole():
    segment = Segment("No times here", 0, 10, -0.1, 0)

    assert texts(assign_speakers([segment], [SpeakerTurn(0, 0, 3), SpeakerTurn(1, 3, 10)])) == [
        (1, "No times here")
    ]


def test_words_that_the_text_lacks_are_joined_as_they_are():
    segment = Segment("Other text", 0, 2, -0.1, 0, (Word(" one", 0, 1, 1), Word(" two", 1, 2, 1)))

    assert texts(assign_speakers([segment], [SpeakerTurn(0, 0, 1), SpeakerTurn(1, 1, 2)])) == [
        (0, "one"),
        (1, "two"),
    ]


def test_speakers_have_names_that_count_from_one():
    assert [speaker_name(speaker) for speaker in (0, 1, None)] == ["Speaker 1", "Speaker 2", None]


@given(
    turns=st.lists(
        st.builds(SpeakerTurn, st.integers(0, 3), st.floats(0, 50), st.floats(0, 50)),
        max_size=8,
    ),
    n_words=st.integers(1, 30),
)
def test_no_word_is_lost_or_moved(turns, n_words):
    segment = said(" ".join(f"w{number}" for number in range(n_words)), 3.0)

    spoken = assign_speakers([segment], turns)

    assert " ".join(piece.segment.text for piece in spoken) == segment.text
    assert tuple(word for piece in spoken for word in piece.segment.words) == segment.words


@pytest.mark.parametrize("n_segments", [0, 3])
def test_nothing_said_gives_nothing(n_segments):
    assert len(assign_speakers([said("a")] * n_segments, [])) == n_segments


@pytest.mark.parametrize("settings", [{}, {"DIARIZATION_SEGMENTATION_MODEL": ""}])
def test_without_configured_models_the_setting_is_named(settings):
    with pytest.raises(EngineUnavailable, match="DIARIZATION_SEGMENTATION_MODEL"):
        registry.diarizer(registry.EngineConfig.from_settings(settings)).load()
