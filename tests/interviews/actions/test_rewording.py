from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from interviews.actions import corrections, erasure, rewording
from interviews.actions.errors import ActionRefused, BadValue, WrongState
from interviews.models import Answer, Correction, Session
from interviews.queries.answers import AnswerRecord, complete
from interviews.queries.rewording import digest
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

HEARD = "I built a small service that reads in voices"
RIGHT = "I built a small service that reads invoices"


@pytest.fixture
def answer():
    session = factories.SessionFactory(finished=True)
    return factories.AnswerFactory(session=session, accepted=True, transcript=HEARD)


def record(answer) -> AnswerRecord:
    return AnswerRecord.of(complete(Answer.objects.filter(pk=answer.pk)).get())


def reword(answer, text, *, shown=None, now=None):
    own = [layer for layer in record(answer).layers if layer.is_by_candidate]
    return rewording.reword(
        answer=answer,
        text=text,
        shown=shown or digest(answer.recording.transcript, own),
        by=answer.session.invitation,
        now=now or timezone.now(),
    )


def correct_as_reviewer(answer, first_word, last_word, text):
    words = {"first_word": first_word, "last_word": last_word, "text": text}
    return corrections.correct(answer=answer, **words, by=factories.UserFactory(), now=timezone.now())


def test_candidates_words_are_a_layer_and_what_was_heard_stays(answer):
    now = timezone.now()
    assert reword(answer, f" {RIGHT}\n", now=now) == 1
    [layer] = Correction.objects.all()
    assert (layer.recognised, layer.text, layer.made_at) == ("in voices", "invoices", now)
    assert (layer.is_by_candidate, layer.made_by) == (True, None)
    found = record(answer)
    assert (found.text, found.transcript.text) == (RIGHT, HEARD)
    assert found.has_words_of_candidate


def test_candidate_who_changes_nothing_makes_no_layer(answer):
    assert reword(answer, HEARD) == 0
    assert not Correction.objects.exists()


def test_reviewers_correction_is_shown_whichever_was_made_last(answer):
    correct_as_reviewer(answer, 7, 8, "inboxes")
    reword(answer, RIGHT)
    assert record(answer).text.endswith("reads inboxes")
    assert [is_shown for _layer, is_shown in record(answer).history] == [False, True]


def test_reviewer_takes_the_candidates_words_back(answer):
    reword(answer, RIGHT)
    words = {"first_word": 7, "last_word": 8, "by": factories.UserFactory(), "now": timezone.now()}
    corrections.restore(answer=answer, **words)
    assert record(answer).text == HEARD


def test_part_of_the_candidates_words_is_not_corrected_alone(answer):
    reword(answer, RIGHT)
    with pytest.raises(WrongState):
        correct_as_reviewer(answer, 8, 8, "voice")


@pytest.mark.parametrize("text", ["", " \n ", "a\0b", "a\x1bb", "a\ue000b", "x" * 1000])
def test_text_that_cannot_be_kept_is_refused(answer, text):
    with pytest.raises(BadValue):
        reword(answer, text)
    assert not Correction.objects.exists()


def test_text_reads_as_it_is_stored(answer):
    reword(answer, "I built a \u202esmall\u202c service that reads in voices")
    assert not Correction.objects.exists()


@hypothesis_settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60))
def test_any_text_is_shown_as_it_was_sent_or_refused(answer, text):
    Correction.objects.all().delete()
    try:
        reword(answer, text)
    except ActionRefused:
        assert not Correction.objects.exists()
    else:
        shown = record(answer).text.translate(dict.fromkeys(map(ord, rewording.DIRECTIONS)))
        assert shown.split() == text.translate(dict.fromkeys(map(ord, rewording.DIRECTIONS))).split()


def test_words_that_have_changed_meanwhile_are_not_changed(answer):
    shown = digest(answer.recording.transcript, [])
    reword(answer, RIGHT)
    with pytest.raises(WrongState):
        reword(answer, "I built nothing", shown=shown)


def test_words_that_change_while_they_are_compared_are_not_changed(answer, monkeypatch):
    compare = rewording.rewording.changes

    def changes(*args):
        factories.CorrectionFactory(answer=answer, first_word=0, text="We", is_by_candidate=True)
        return compare(*args)

    monkeypatch.setattr(rewording.rewording, "changes", changes)
    with pytest.raises(WrongState):
        reword(answer, RIGHT)
    assert Correction.objects.get().text == "We"


@pytest.mark.django_db(transaction=True)
def test_words_are_compared_outside_of_the_transaction(answer, monkeypatch):
    compare, were_in_transaction = rewording.rewording.changes, []

    def changes(*args):
        were_in_transaction.append(connection.in_atomic_block)
        return compare(*args)

    monkeypatch.setattr(rewording.rewording, "changes", changes)
    assert reword(answer, RIGHT) == 1
    assert were_in_transaction == [False]


@pytest.mark.django_db(transaction=True)
def test_change_does_not_wait_for_another_one(answer):
    def from_another_connection():
        try:
            return reword(answer, RIGHT)
        finally:
            connections.close_all()

    with ThreadPoolExecutor() as threads, transaction.atomic():
        Session.objects.select_for_update(of=("self",)).get(pk=answer.session_id)
        with pytest.raises(WrongState):
            threads.submit(from_another_connection).result(timeout=120)
    assert reword(answer, RIGHT) == 1


def test_changes_of_an_answer_have_an_end_that_leaves_reviewers_room(answer, monkeypatch):
    monkeypatch.setattr(rewording, "MAX_CHANGES", 1)
    monkeypatch.setattr(corrections, "MAX_LAYERS", 1)
    reword(answer, RIGHT)
    with pytest.raises(WrongState):
        reword(answer, f"{RIGHT} again")
    assert correct_as_reviewer(answer, 0, 0, "We").text == "We"


@pytest.mark.parametrize("what", [rewording.flag, rewording.take_flag_back])
@pytest.mark.parametrize("when", ["before the end", "too late", "not wanted"])
def test_outside_of_its_time_nothing_is_changed(answer, settings, what, when):
    session, now = answer.session, timezone.now()
    if when == "before the end":
        type(session).objects.update(status="under_way", finished_at=None)
    if when == "too late":
        now += timedelta(days=settings.ANSWERS_SHOWN_DAYS)
    if when == "not wanted":
        type(session.definition).objects.update(is_correcting_allowed=False)
    with pytest.raises(WrongState):
        what(answer=answer, by=session.invitation, now=now)
    with pytest.raises(WrongState):
        reword(answer, RIGHT, now=now)


def test_flagged_answer_is_to_be_listened_to_until_the_flag_is_taken_back(answer):
    by, first = answer.session.invitation, timezone.now()
    rewording.flag(answer=answer, by=by, now=first)
    rewording.flag(answer=answer, by=by, now=first + timedelta(minutes=1))
    assert record(answer).answer.flagged_at == first
    assert record(answer).is_unreliable
    rewording.take_flag_back(answer=answer, by=by, now=first)
    assert not record(answer).is_unreliable


def test_no_correction_makes_a_transcript_reliable(answer):
    type(answer.recording.transcript).objects.update(confidence=0.4)
    reword(answer, RIGHT)
    assert record(answer).is_unreliable


def test_log_has_no_word_of_it(answer, caplog):
    with caplog.at_level("INFO"):
        reword(answer, RIGHT)
    assert "corrected by the candidate" in caplog.text
    assert "voices" not in caplog.text


def test_erasure_takes_candidates_words_away(answer):
    reword(answer, RIGHT)
    erasure.erase_candidate(invitation=answer.session.invitation, by="retention", now=timezone.now())
    assert not Correction.objects.exists()
