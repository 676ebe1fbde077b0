import pytest
from hypothesis import given
from hypothesis import strategies as st

from interviews.models import Correction
from interviews.queries.corrections import (
    by_segment,
    corrected_elsewhere,
    corrected_text,
    in_force,
    recognised,
    wording,
)
from tests import factories
from voice.models import Transcript

HEARD = "I built a small service that reads in voices"


def transcript_of(text=HEARD, language="en"):
    return Transcript(status="done", text=text, segments=factories.segments_of(text), language=language)


def layer(first, last, text, *, of=None):
    words = recognised(of or transcript_of(), first, last)
    return Correction(first_word=first, last_word=last, recognised=words, text=text)


def test_words_without_corrections_are_as_recognised():
    stretches = wording(transcript_of())
    assert " ".join(stretch.text for stretch in stretches) == HEARD
    assert [stretch.is_doubtful for stretch in stretches] == [n % 5 == 4 for n in range(9)]


def test_correction_stands_for_its_words_and_has_their_times():
    stretches = wording(transcript_of(), [layer(7, 8, "invoices")])
    assert (stretches[-1].text, stretches[-1].start_s, stretches[-1].end_s) == ("invoices", 2.8, 3.56)
    assert not stretches[-1].is_doubtful
    assert len(stretches) == 8


def test_last_correction_wins():
    layers = [layer(7, 8, "invoice"), layer(6, 8, "writes invoices")]
    assert corrected_text(transcript_of(), layers) == "I built a small service that writes invoices"
    assert in_force(transcript_of(), layers) == layers[1:]


def test_restored_words_are_as_recognised():
    layers = [layer(7, 8, "invoices"), layer(7, 8, None)]
    assert corrected_text(transcript_of(), layers) == HEARD


def test_empty_correction_takes_words_away():
    assert corrected_text(transcript_of(), [layer(0, 5, "")]) == "reads in voices"


def test_correction_of_other_words_is_not_in_force():
    again = transcript_of("I built a small service that reads invoices")
    assert corrected_text(again, [layer(7, 8, "invoices")]) == again.text


def of_version(version, text="invoices", *, is_by_candidate=True):
    return Correction(
        first_word=7,
        last_word=8,
        recognised="in voices",
        text=text,
        version=version,
        is_by_candidate=is_by_candidate,
    )


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([], None),
        ([of_version(1)], 1),
        ([of_version(1), of_version(3)], 3),
        ([of_version(1), of_version(2)], None),  # who corrected the one that is used has seen it
        ([of_version(1), of_version(1, None)], None),  # taken back
        ([of_version(1), of_version(2), of_version(2, None)], 1),
        ([of_version(1, is_by_candidate=False)], None),
        ([of_version(1), of_version(1, None, is_by_candidate=False)], 1),  # a reviewer's hide nothing of it
    ],
)
def test_candidates_correction_of_a_version_that_is_not_used_is_told(layers, expected):
    transcript = transcript_of()
    transcript.version = 2
    assert corrected_elsewhere(transcript, layers) == expected


def test_japanese_words_are_not_spaced():
    transcript = transcript_of("私 は 学生", language="ja")
    assert corrected_text(transcript, [layer(2, 2, "先生", of=transcript)]) == "私は先生"


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 12), st.one_of(st.none(), st.text(max_size=5))),
        max_size=12,
    )
)
def test_every_word_is_shown_once_whatever_was_corrected(made):
    transcript = transcript_of()
    stretches = wording(transcript, [layer(first, max(first, last), text) for first, last, text in made])
    shown = [word for stretch in stretches for word in range(stretch.first, stretch.last + 1)]
    assert shown == list(range(9))


def test_correction_across_segments_stands_where_it_begins():
    segments = [*factories.segments_of("it reads in"), *factories.segments_of("voices all day")]
    transcript = Transcript(status="done", text="it reads in voices all day", segments=segments)
    found = by_segment(transcript, [layer(2, 3, "invoices", of=transcript)])
    assert [[one.text for one in each] for each in found] == [["it", "reads", "invoices"], ["all", "day"]]


@pytest.mark.parametrize("segments", [[], [{"text": "Hi", "words": []}]])
def test_transcript_without_word_times_has_no_stretches(segments):
    assert wording(Transcript(status="done", text="Hi", segments=segments)) == []
