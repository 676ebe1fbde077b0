"""What search knows of an answer follows from the answer, whatever becomes of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from interviews.actions import answers, attempts, erasure, search_index
from interviews.models import Answer, Invitation, SearchEntry, Session
from interviews.queries.transcript_search import newest
from tests import factories
from tests.interviews import journey
from voice import signals
from voice.models import Transcript

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


def found(words):
    return [hit.answer for hit in newest(words, sessions=Session.objects.all(), organisation_ids=None).hits]


def test_finished_transcript_is_found(session):
    answer = factories.AnswerFactory(session=session, position=9, accepted=True, transcript="we sold turnips")
    signals.transcript_finished.send(Transcript, transcript=answer.recording.transcript)
    assert found("turnip") == [answer]


def test_typed_answer_is_found_at_once(session):
    journey.get_under_way(session)
    answer = journey.questions(session)[0]
    answers.type_answer(
        answer=answer, text="I would rather write about turnips.", by="test", now=timezone.now()
    )
    assert found("turnips") == [answer]
    assert newest("turnips", sessions=Session.objects.all(), organisation_ids=None).hits[0].second is None


def test_answer_to_a_follow_up_is_found_and_practice_is_not(session):
    place = {"session": session, "position": 1, "follow_up": 1}
    answer = factories.AnswerFactory(**place, kind="follow_up", accepted=True, transcript="we sold turnips")
    practice = session.answers.get(kind="practice")
    Answer.objects.filter(pk=practice.pk).update(
        status="accepted", typed_text="turnips", completed_at=timezone.now()
    )

    assert search_index.repair_recent(now=timezone.now()) == 1
    [hit] = newest("turnip", sessions=Session.objects.all(), organisation_ids=None).hits
    assert hit.answer == answer
    assert "answer=1.1" in hit.address


def test_answer_that_is_recorded_again_is_not_found(say):
    answer = say("turnips")
    Answer.objects.filter(pk=answer.pk).update(status="recorded", retakes_left=1)
    answer.refresh_from_db()
    answers.retake(answer=answer, by="test", now=timezone.now())
    assert not SearchEntry.objects.exists()


def test_corrected_transcript_is_found_by_its_new_words(say):
    answer = say("turnips")
    Transcript.objects.update(text="parsnips", segments=factories.segments_of("parsnips"))
    assert found("turnips") == [], "an entry that is out of date shows nothing"
    search_index.index(answer_id=answer.pk)
    assert (found("turnips"), found("parsnips")) == ([], [answer])


def test_answer_that_waits_for_its_transcript_has_no_entry(session):
    recording = factories.RecordingFactory(sealed=True)
    factories.TranscriptFactory(recording=recording)
    answer = factories.AnswerFactory(
        session=session, position=9, status="accepted", recording=recording, completed_at=timezone.now()
    )
    search_index.index(answer_id=answer.pk)
    assert search_index.repair(since=None) == 0
    assert not SearchEntry.objects.exists()


def test_trials_and_practice_are_left_out(say, session):
    practice = factories.AnswerFactory(session=session, kind="practice", position=9, accepted=True)
    trial = say("turnips")
    version = trial.session.definition
    Invitation.objects.filter(session=trial.session_id).update(tried=version)
    for answer in (practice, trial):
        search_index.index(answer_id=answer.pk)
    assert search_index.repair(since=None) == 0
    assert not SearchEntry.objects.exists()


def test_attempt_set_aside_is_not_found_any_more(say):
    answer = say("turnips")
    Session.objects.update(status="finished", finished_at=timezone.now())
    Invitation.objects.update(status="finished")
    attempts.reset(invitation=Invitation.objects.get(), by="test", now=timezone.now())
    assert not SearchEntry.objects.exists()
    search_index.index(answer_id=answer.pk)
    assert search_index.repair(since=None) == 0
    assert not SearchEntry.objects.exists()


def test_repair_forgets_an_attempt_that_another_release_set_aside(say):
    answer = say("turnips")
    Invitation.objects.filter(session=answer.session).update(set_aside_of=factories.InvitationFactory())
    search_index.repair_recent(now=timezone.now())
    assert not SearchEntry.objects.exists()


def test_repair_finds_what_was_missed_and_nothing_twice(say):
    answer, silent = say("turnips"), say("silence")
    Transcript.objects.filter(recording=silent.recording).update(text="")
    SearchEntry.objects.all().delete()
    assert search_index.repair_recent(now=timezone.now()) == 2
    assert search_index.repair_recent(now=timezone.now()) == 0, "an answer without words is not missed"
    assert found("turnips") == [answer]
    assert SearchEntry.objects.get(pk=silent.pk).lexemes == ""


def test_minute_looks_at_recent_answers_only_and_ten_minutes_at_all(say):
    answer = say("turnips")
    Answer.objects.update(completed_at=timezone.now() - timedelta(days=30))
    SearchEntry.objects.all().delete()
    assert search_index.repair_recent(now=timezone.now()) == 0
    assert search_index.repair(since=None) == 1
    assert found("turnips") == [answer]


def test_entry_of_a_take_that_another_release_replaced_is_written_again(say):
    answer = say("turnips")
    Answer.objects.update(completed_at=timezone.now())
    Transcript.objects.update(text="parsnips")
    assert search_index.repair_recent(now=timezone.now()) == 1
    assert found("parsnips") == [answer]


@pytest.mark.django_db(transaction=True)
def test_entry_goes_with_the_candidate(say):
    answer = say("turnips")
    erasure.erase_candidate(invitation=answer.session.invitation, by="test", now=timezone.now())
    assert not SearchEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_release_before_erases_an_answer_with_an_entry(say):
    answer = say("turnips")
    Answer.objects.filter(pk=answer.pk)._raw_delete("default")  # it does not know the table
    assert not SearchEntry.objects.exists()
