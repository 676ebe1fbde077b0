import pytest
from django.utils import timezone

from interviews.actions import corrections, erasure
from interviews.actions.errors import BadValue, WrongState
from interviews.models import Correction
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def answer():
    return factories.AnswerFactory(accepted=True, transcript="I built a small service that reads in voices")


@pytest.fixture
def by():
    return factories.UserFactory()


@pytest.fixture
def correct(answer, by):
    def correct(first_word, last_word, text):
        words = {"first_word": first_word, "last_word": last_word}
        return corrections.correct(answer=answer, **words, text=text, by=by, now=timezone.now())

    return correct


def test_correction_keeps_what_was_recognised(correct, answer, by):
    made = correct(7, 8, " invoices\n ")
    assert (made.recognised, made.text, made.made_by) == ("in voices", "invoices", by)
    answer.recording.transcript.refresh_from_db()
    assert answer.recording.transcript.text.endswith("in voices")


def test_words_around_a_correction_can_be_corrected_but_not_a_part_of_it(correct):
    correct(7, 8, "invoices")
    with pytest.raises(WrongState):
        correct(8, 8, "voices")
    assert correct(6, 8, "reads invoices").recognised == "reads in voices"


def test_part_can_be_corrected_once_the_whole_is_restored(correct, answer, by):
    correct(7, 8, "invoices")
    corrections.restore(answer=answer, first_word=7, last_word=8, by=by, now=timezone.now())
    assert correct(8, 8, "voice").recognised == "voices"


@pytest.mark.parametrize(("first", "last"), [(-1, 0), (0, 9), (3, 2), (9, 9)])
def test_words_that_are_not_there_are_refused(correct, first, last):
    with pytest.raises(BadValue):
        correct(first, last, "x")


@pytest.mark.parametrize("text", ["a" * 2001, "a\0"])
def test_text_that_cannot_be_kept_is_refused(correct, text):
    with pytest.raises(BadValue):
        correct(0, 0, text)


def test_answer_without_a_transcript_cannot_be_corrected(by):
    answer = factories.AnswerFactory(asked=True)
    with pytest.raises(WrongState):
        corrections.correct(answer=answer, first_word=0, last_word=0, text="x", by=by, now=timezone.now())


def test_number_of_layers_has_an_end(correct, monkeypatch):
    monkeypatch.setattr(corrections, "MAX_LAYERS", 2)
    correct(0, 0, "We")
    correct(0, 0, "You")
    with pytest.raises(WrongState):
        correct(0, 0, "They")


def test_log_has_no_word_of_it(correct, caplog):
    with caplog.at_level("INFO"):
        correct(7, 8, "invoices")
    assert "its transcript is corrected" in caplog.text
    assert "voices" not in caplog.text


def test_erasure_takes_corrections_away(correct, answer, by):
    correct(7, 8, "invoices")
    erasure.erase_candidate(invitation=answer.session.invitation, by=by, now=timezone.now())
    assert not Correction.objects.exists()
    with pytest.raises(WrongState):
        correct(0, 0, "We")
