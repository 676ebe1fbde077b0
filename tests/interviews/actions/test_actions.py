from datetime import timedelta

import pytest
from django.utils import timezone

from interviews.actions import answers, invitations, sessions
from interviews.actions.errors import AudioMissing, BadValue, WrongState
from interviews.models import Answer, Session
from tests import factories
from tests.interviews import journey
from voice.models import Recording, Speech, Transcript

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

SECOND = b"\x01\x00" * 16_000


def now():
    return timezone.now()


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_invite_to_what_is_not_published_is_refused(interview, status):
    interview.status = status
    with pytest.raises(BadValue, match=f"it is {status}"):
        invitations.invite(
            interview=interview,
            candidate_name="Ada",
            expires_at=now() + timedelta(days=1),
            by=None,
            now=now(),
        )


def test_invite_into_the_past_is_refused(interview):
    with pytest.raises(BadValue, match="expires_at"):
        invitations.invite(interview=interview, candidate_name="Ada", expires_at=now(), by=None, now=now())


def test_start_copies_the_questions(invitation):
    session = sessions.start(invitation=invitation, now=now())
    question = invitation.interview.questions.first()
    question.text = "Something else?"
    question.save()
    assert [a.position for a in session.answers.all()] == [0, 1, 2, 3]
    assert session.answers.get(position=1).question_text != "Something else?"


def test_start_twice_gives_the_same_session(invitation):
    first = sessions.start(invitation=invitation, now=now())
    assert sessions.start(invitation=invitation, now=now()) == first
    assert Answer.objects.filter(session=first).count() == 4


def test_start_requests_every_spoken_question_once(invitation):
    sessions.start(invitation=invitation, now=now())
    keys = set(Answer.objects.values_list("speech_key", flat=True))
    assert keys == set(Speech.objects.values_list("key", flat=True))


def test_finish_seals_the_recording_and_queues_both_jobs(session, queued):
    answer = journey.begin_first_question(session)
    journey.speak(answer, SECOND)
    answers.finish(answer=answer, byte_count=len(SECOND), by="test", now=now())
    recording = Recording.objects.get(pk=answer.recording_id)
    assert (recording.status, recording.byte_count) == (Recording.Status.SEALED, len(SECOND))
    assert Transcript.objects.get(recording=recording).status == Transcript.Status.WAITING
    assert f"transcribe-{recording.pk}" in queued("stt")
    assert f"store-{recording.pk}" in queued("default")


def test_finish_before_all_audio_arrived_changes_nothing(session):
    answer = journey.begin_first_question(session)
    journey.speak(answer, SECOND)
    with pytest.raises(AudioMissing) as refusal:
        answers.finish(answer=answer, byte_count=2 * len(SECOND), by="test", now=now())
    assert refusal.value.extra == {"offset": len(SECOND)}
    answer.refresh_from_db()
    assert answer.status == Answer.Status.RECORDING
    assert answer.recording.status == Recording.Status.OPEN


def test_finish_twice_is_refused_and_leaves_one_transcript(session):
    answer = journey.begin_first_question(session)
    journey.speak(answer, SECOND)
    answers.finish(answer=answer, byte_count=len(SECOND), by="test", now=now())
    with pytest.raises(WrongState):
        answers.finish(answer=answer, byte_count=0, by="test", now=now())
    assert Transcript.objects.filter(recording=answer.recording).count() == 1


def at_its_limit(session, *, retakes=0):
    """The first question's answer, recorded to its last second."""
    answer = journey.begin_first_question(session, retakes=retakes)
    journey.speak(answer, SECOND)
    return short(answer)


def short(answer):
    Recording.objects.filter(pk=answer.recording_id).update(max_bytes=len(SECOND))
    answer.recording.refresh_from_db()
    return answer


def finish_at(moment, answer, *, has_speech):
    answers.finish(answer=answer, byte_count=len(SECOND), has_speech=has_speech, by="test", now=moment)


@pytest.mark.parametrize("retakes", [0, 1])
def test_answer_without_speech_at_the_limit_is_asked_again_once(session, retakes):
    answer = at_its_limit(session, retakes=retakes)
    silence, began = answer.recording, Answer.objects.get(pk=answer.pk).asked_at
    finish_at(began + timedelta(seconds=90), answer, has_speech=False)
    answer.refresh_from_db()
    silence.refresh_from_db()
    assert (answer.status, answer.recording) == (Answer.Status.ASKED, None)
    assert silence.status == Recording.Status.DISCARDED
    assert answer.extra_seconds == 90

    answers.begin(answer=answer, by="test", now=now())
    journey.speak(answer, SECOND)
    finish_at(now(), short(answer), has_speech=False)
    answer.refresh_from_db()
    session.refresh_from_db()
    assert (answer.status, answer.is_silent, answer.extra_seconds) == (Answer.Status.RECORDED, True, 90)
    assert answer.recording.status == Recording.Status.SEALED  # if somebody whispered, a person will hear it
    answers.accept(answer=answer, by="test", now=now())
    assert answer.status == Answer.Status.ACCEPTED


def test_answer_with_speech_at_the_limit_goes_on(session):
    answer = at_its_limit(session)
    finish_at(now(), answer, has_speech=True)
    assert (answer.status, answer.is_silent) == (Answer.Status.ACCEPTED, False)


def test_answer_at_the_limit_that_nobody_listened_to_is_kept_and_waits(session):
    answer = at_its_limit(session)
    finish_at(now(), answer, has_speech=None)
    answer.refresh_from_db()
    assert (answer.status, answer.is_silent) == (Answer.Status.RECORDED, False)
    assert answer.recording.status == Recording.Status.SEALED


def test_silent_practice_at_the_limit_waits_to_be_tried_again(session):
    sessions.check_devices(session=session, by="test", now=now())
    practice = practice_of(session)
    answers.begin(answer=practice, by="test", now=now())
    journey.speak(practice, SECOND)
    finish_at(now(), short(practice), has_speech=False)
    assert (practice.status, practice.is_silent) == (Answer.Status.RECORDED, True)
    answers.retake(answer=practice, by="test", now=now())


def test_answer_without_speech_that_the_candidate_ends_is_accepted(session):
    answer = journey.begin_first_question(session)
    journey.speak(answer, SECOND)
    finish_at(now(), answer, has_speech=False)
    assert (answer.status, answer.is_silent) == (Answer.Status.ACCEPTED, False)


def time_out(answer, has_speech=None):
    answers.time_out(answer=answer, has_speech=has_speech, by="test", now=now())
    answer.refresh_from_db()
    return answer.status


def test_time_that_is_over_begins_an_answer_and_ends_one_in_which_nothing_came(session):
    journey.get_under_way(session)
    answer = journey.questions(session)[0]
    answers.ask(answer=answer, by="test", now=now())
    statuses = [time_out(journey.questions(session)[0]) for _ in range(5)]
    assert statuses == ["recording", "asked", "recording", "recorded", "recorded"]
    answer.refresh_from_db()
    assert answer.is_silent
    assert answer.recording.status == Recording.Status.DISCARDED  # not a byte came


@pytest.mark.parametrize(
    ("has_speech", "status"), [(True, "recording"), (None, "recording"), (False, "asked")]
)
def test_time_that_is_over_ends_no_answer_in_which_something_may_have_been_said(session, has_speech, status):
    answer = journey.begin_first_question(session)
    journey.speak(answer, SECOND)
    assert time_out(answer, has_speech) == status


def test_last_answer_finishes_session_and_invitation(session):
    for answer in journey.questions(session):
        journey.answer_with(answer, SECOND)
    session.refresh_from_db()
    session.invitation.refresh_from_db()
    assert session.status == Session.Status.FINISHED
    assert session.invitation.status == "finished"


def test_begin_out_of_order_is_refused(session):
    journey.get_under_way(session)
    second = journey.questions(session)[1]
    with pytest.raises(WrongState, match="not the current one"):
        answers.begin(answer=second, by="test", now=now())


def test_retake_discards_the_earlier_recording(session):
    answer = journey.begin_first_question(session, retakes=1)
    first = answer.recording
    journey.speak(answer, SECOND)
    answers.finish(answer=answer, byte_count=0, by="test", now=now())
    answers.retake(answer=answer, by="test", now=now())
    first.refresh_from_db()
    assert first.status == Recording.Status.DISCARDED
    assert answer.recording_id != first.pk
    assert answer.retakes_left == 0


def test_practice_recording_is_deleted_when_practice_ends(session):
    sessions.check_devices(session=session, by="test", now=now())
    practice = session.answers.get(position=0)
    answers.begin(answer=practice, by="test", now=now())
    journey.speak(practice, SECOND)
    answers.finish(answer=practice, byte_count=len(SECOND), by="test", now=now())
    answers.accept(answer=practice, by="test", now=now())
    recording = Recording.objects.get(pk=practice.recording_id)
    assert recording.status == Recording.Status.DISCARDED
    assert not Transcript.objects.filter(recording=recording).exists()
    assert journey.held(recording) == b""


def test_typed_answer_keeps_what_was_spoken(session):
    answer = journey.begin_first_question(session)
    journey.speak(answer, SECOND)
    answers.type_answer(answer=answer, text=" In words. ", by="test", now=now())
    answer.refresh_from_db()
    assert (answer.status, answer.typed_text) == (Answer.Status.ACCEPTED, "In words.")
    assert answer.recording.status == Recording.Status.SEALED


def test_revoke_closes_an_interview_under_way_and_keeps_its_audio(session):
    answer = journey.begin_first_question(session)
    journey.speak(answer, SECOND)
    invitations.revoke(invitation=session.invitation, by="test", now=now())
    session.refresh_from_db()
    answer.refresh_from_db()
    assert session.status == Session.Status.ABANDONED
    assert answer.recording.byte_count == len(SECOND)


def test_expiry_ends_unused_links_only(session, make_invitation):
    unused = make_invitation()
    later = now() + timedelta(days=400)
    assert invitations.expire_due(now=later) == 1
    unused.refresh_from_db()
    session.invitation.refresh_from_db()
    assert (unused.status, session.invitation.status) == ("expired", "started")


def test_idle_session_is_abandoned_and_its_recording_completed(session):
    answer = journey.begin_first_question(session)
    journey.speak(answer, SECOND)
    assert sessions.abandon_idle(now=now() + timedelta(hours=25)) == 1
    answer.refresh_from_db()
    session.invitation.refresh_from_db()
    assert answer.recording.status == Recording.Status.SEALED
    assert session.invitation.status == "expired"


def practice_of(session):
    rows = session.answers.select_related("session__invitation__interview", "recording")
    return rows.get(kind=Answer.Kind.PRACTICE)


def practise_once(session, answer):
    journey.speak(answer, SECOND)
    answers.finish(answer=answer, byte_count=len(SECOND), by="test", now=now())


def test_practice_without_a_retake_left_can_still_be_ended(session):
    sessions.check_devices(session=session, by="test", now=now())
    answers.begin(answer=practice_of(session), by="test", now=now())
    practise_once(session, practice_of(session))
    for _ in range(sessions.PRACTICE_RETAKES):
        answers.retake(answer=practice_of(session), by="test", now=now())
        practise_once(session, practice_of(session))
    answers.accept(answer=practice_of(session), by="test", now=now())
    session.refresh_from_db()
    assert session.status == Session.Status.UNDER_WAY


def test_abandoned_practice_is_deleted(session):
    sessions.check_devices(session=session, by="test", now=now())
    answers.begin(answer=practice_of(session), by="test", now=now())
    sessions.abandon(session=session, by="test", now=now())
    assert practice_of(session).recording.status == Recording.Status.DISCARDED


def test_deleted_question_is_still_asked_of_those_who_get_this_version(invitation):
    invitation.interview.questions.first().delete()
    session = sessions.start(invitation=invitation, now=now())
    asked = session.answers.filter(kind=Answer.Kind.QUESTION)
    assert [answer.question is None for answer in asked] == [True, False, False]


def test_interview_without_questions_ends_after_practice(invitation):
    invitation.interview.questions.all().delete()
    factories.publish(invitation.interview)
    session = sessions.start(invitation=invitation, now=now())
    journey.get_under_way(session)
    session.refresh_from_db()
    assert session.status == Session.Status.FINISHED


@pytest.mark.parametrize("text", ["", "  ", "a\0b", "\ud800", "x" * 10_001])
def test_typed_answer_that_cannot_be_kept_is_refused(session, text):
    journey.get_under_way(session)
    with pytest.raises(BadValue, match="text"):
        answers.type_answer(answer=journey.questions(session)[0], text=text, by="test", now=now())


def test_typed_answer_waits_for_what_was_spoken(session):
    answer = journey.begin_first_question(session)
    journey.speak(answer, SECOND)
    with pytest.raises(AudioMissing):
        answers.type_answer(answer=answer, text="x", byte_count=2 * len(SECOND), by="test", now=now())
    answer.refresh_from_db()
    assert answer.status == Answer.Status.RECORDING


def test_practice_question_speaks_the_language_of_the_interview(interview):
    from interviews.actions.interviews import practice_text
    from interviews.texts.languages import LANGUAGES
    from interviews.texts.practice import PRACTICE

    assert set(PRACTICE) == {code for code, _ in LANGUAGES}
    interview.language = "de"
    assert practice_text(interview) == PRACTICE["de"]
    interview.practice_question = "Who are you?"
    assert practice_text(interview) == "Who are you?"
