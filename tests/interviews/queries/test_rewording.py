"""What a candidate changed in a text becomes corrections that give that text, whatever was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interviews.models import Correction
from interviews.queries.corrections import corrected_text, recognised
from interviews.queries.rewording import Change, changes, digest
from tests.factories import segments_of
from voice.models import Transcript
from voice.text import differences

HEARD = "I built a small service that reads in voices"
WORDS = st.lists(st.sampled_from(["I", "built", "small", "services", "e-mails", "a"]), max_size=12)


def transcript_of(text, language="en", words=None):
    segments = segments_of(words or text)
    return Transcript(text=text, segments=segments, language=language, status=Transcript.Status.DONE)


def layers_of(transcript, made):
    return [
        Correction(
            first_word=each.first_word,
            last_word=each.last_word,
            recognised=recognised(transcript, each.first_word, each.last_word),
            text=each.text,
            is_by_candidate=True,
        )
        for each in made
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (HEARD, []),
        ("I built a small service that reads invoices", [Change(7, 8, "invoices")]),
        ("I built a very small service that reads in voices", [Change(2, 2, "a very")]),
        ("Yes I built a small service that reads in voices", [Change(0, 0, "Yes I")]),
        ("I built a service that reads in voices aloud", [Change(3, 3, ""), Change(8, 8, "voices aloud")]),
    ],
)
def test_only_words_that_differ_are_changed(written, expected):
    assert changes(transcript_of(HEARD), [], written) == expected


def test_what_was_heard_written_again_ends_a_correction():
    transcript = transcript_of(HEARD)
    own = layers_of(transcript, [Change(7, 8, "invoices")])
    assert changes(transcript, own, HEARD) == [Change(7, 8, None)]


def test_same_text_of_other_words_has_another_digest():
    transcript = transcript_of(HEARD)
    own = layers_of(transcript, [Change(7, 8, "in voices")])
    again = transcript_of(HEARD)
    again.version = 2
    assert len({digest(transcript, []), digest(transcript, own), digest(again, [])}) == 3


def test_languages_without_spaces_are_compared_by_character():
    transcript = transcript_of("私は東経にいます", "ja", words="私 は 東経 に います")
    assert changes(transcript, [], "私は東京にいます") == [Change(2, 2, "東京")]


@given(first=WORDS, second=WORDS)
def test_corrections_give_what_was_written(first, second):
    """Also over the candidate's earlier corrections."""
    transcript, own = transcript_of(HEARD), []
    for written in (first or ["x"], second or ["y"]):
        own += layers_of(transcript, changes(transcript, own, " ".join(written)))
        assert corrected_text(transcript, own).split() == written


@given(written=WORDS.filter(bool))
def test_corrections_of_long_texts_give_what_was_written(written):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(differences, "MOST_PAIRS", 0)
        transcript = transcript_of(HEARD)
        made = changes(transcript, [], " ".join(written))
        assert corrected_text(transcript, layers_of(transcript, made)).split() == written
