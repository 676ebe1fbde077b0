"""For every action, the snapshot before, with its events applied, equals the snapshot after."""

import json
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from interviews.actions import accommodations, answers, follow_ups, invitations, sessions
from interviews.events import publishing, snapshots
from interviews.models import Exchange, Session
from tests import factories
from tests.interviews import journey
from voice import signals
from voice.encryption import keys
from voice.models import Speech, Transcript
from voice.speech import rendering
from voice.workers.storing import store
from voice.workers.transcription import transcribe

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


SPOKEN = b"\1\0" * 1600


@pytest.fixture
def sent(monkeypatch):
    """Events in the order sent."""
    messages: list[dict] = []
    monkeypatch.setattr(
        publishing.channel_layer, "group_send", lambda group, message: messages.append(message)
    )
    return messages


def state(session: Session) -> dict:
    fresh = Session.objects.select_related("invitation__interview").get(pk=session.pk)
    return {k: v for k, v in snapshots.snapshot(fresh).items() if k != "now"}


def applied_to(state: dict, event: dict) -> dict:
    """The state after the event: its session and its answer replace older ones, as in state.js."""
    answer = event.get("answer")
    held = [newer(a, answer) if answer and a["id"] == answer["id"] else a for a in state["answers"]]
    if answer and answer["id"] not in {a["id"] for a in held}:  # a follow-up question
        held = sorted([*held, answer], key=lambda a: (a["position"], a["follow_up"]))
    return {**state, "session": newer(state["session"], event["session"]), "answers": held}


def newer(held: dict, came: dict) -> dict:
    """The newer of two states of one thing: processes may send in another order than they wrote."""
    return came if came["version"] >= held["version"] else held


def questions(session):
    return journey.questions(session)


def now():
    return timezone.now()


def finish(answer):
    journey.speak(answer, SPOKEN)
    answers.finish(answer=answer, byte_count=len(SPOKEN), by="t", now=now())


def begun(session, retakes=0):
    return journey.begin_first_question(session, retakes=retakes)


def recorded(session):
    answer = begun(session, retakes=1)
    finish(answer)
    return answer


def checked(session):
    sessions.check_devices(session=session, by="t", now=now())
    return session.answers.select_related("session__invitation__interview").get(position=0)


def recorded_practice(session):
    practice = checked(session)
    answers.begin(answer=practice, by="t", now=now())
    finish(practice)
    return practice


def under_way(session):
    journey.get_under_way(session)
    return questions(session)[0]


def before_the_last_answer(session):
    journey.get_under_way(session)
    *earlier, last = questions(session)
    for answer in earlier:
        journey.answer_with(answer, SPOKEN)
    answers.begin(answer=last, by="t", now=now())
    return last


def at_the_limit(session):
    answer = begun(session)
    answer.recording.max_bytes = len(SPOKEN)
    answer.recording.save()
    journey.speak(answer, SPOKEN)
    return answer


def asked_again_at_the_limit(session):
    answer = at_the_limit(session)
    finish_in_silence(answer)
    answers.begin(answer=answer, by="t", now=now())
    return answer


def finish_in_silence(answer):
    answers.finish(answer=answer, byte_count=len(SPOKEN), has_speech=False, by="t", now=now())


def time_out(answer):
    answers.time_out(answer=answer, has_speech=False, by="t", now=now())


def accommodate(session):
    accommodations.give(
        invitation=session.invitation, extra_percent=50, is_written=True, reason="x", by="t", now=now()
    )


def asked(session):
    answer = under_way(session)
    answers.ask(answer=answer, by="t", now=now())
    return answer


def awaiting_a_follow_up(session):
    session.answers.update(follow_ups_left=1)
    answer = under_way(session)
    answers.type_answer(answer=answer, text="x", by="t", now=now())
    return answer


def before_a_scripted_follow_up(session):
    session.answers.filter(position=1).update(scripted_left=1)
    version = session.definition
    version.questions = [each | {"scripted_follow_ups": ["Why?"]} for each in version.questions]
    version.save()
    return under_way(session)


def proposed(session):
    answer = awaiting_a_follow_up(session)
    key = answer.speech_key
    Speech.objects.filter(key=key).update(status=Speech.Status.FAILED)  # it is read
    Exchange.objects.create(
        answer=answer, sent={}, outcome=Exchange.Outcome.PROPOSED, question="Why?", speech_key=key
    )
    return answer


def settle(answer):
    follow_ups.settle(answer=answer, by="t", now=now())


def before_the_last_wait(session):
    answer = awaiting_a_follow_up(session)
    session.answers.exclude(pk=answer.pk).update(status="accepted")
    return answer


CASES = {
    "check_devices": (lambda s: s, lambda s: sessions.check_devices(session=s, by="t", now=now())),
    "skip_practice": (checked, lambda a: sessions.skip_practice(session=a.session, by="t", now=now())),
    "accept_practice": (recorded_practice, lambda a: answers.accept(answer=a, by="t", now=now())),
    "type_practice": (checked, lambda a: answers.type_answer(answer=a, text="x", by="t", now=now())),
    "ask": (under_way, lambda a: answers.ask(answer=a, by="t", now=now())),
    "begin": (under_way, lambda a: answers.begin(answer=a, by="t", now=now())),
    "finish": (begun, finish),
    "finish_with_retake_left": (lambda s: begun(s, retakes=1), finish),
    "finish_the_last": (before_the_last_answer, finish),
    "accept": (recorded, lambda a: answers.accept(answer=a, by="t", now=now())),
    "retake": (recorded, lambda a: answers.retake(answer=a, by="t", now=now())),
    "type_answer": (under_way, lambda a: answers.type_answer(answer=a, text="x", by="t", now=now())),
    "finish_in_silence": (at_the_limit, finish_in_silence),
    "time_out_of_an_asked_answer": (asked, time_out),
    "time_out_of_a_silent_answer": (begun, time_out),
    "time_out_of_a_silent_answer_asked_again": (asked_again_at_the_limit, time_out),
    "accommodate": (begun, lambda a: accommodate(a.session)),
    "accommodate_before_the_first_question": (lambda s: s, lambda s: accommodate(s)),
    "wait_for_a_follow_up": (
        lambda s: (s.answers.update(follow_ups_left=1), under_way(s))[1],
        lambda a: answers.type_answer(answer=a, text="x", by="t", now=now()),
    ),
    "ask_a_follow_up": (proposed, settle),
    "ask_a_scripted_follow_up": (
        before_a_scripted_follow_up,
        lambda a: answers.type_answer(answer=a, text="x", by="t", now=now()),
    ),
    "go_on_without_a_follow_up": (awaiting_a_follow_up, time_out),
    "finish_without_a_follow_up": (before_the_last_wait, time_out),
    "ask_the_next_question_instead": (
        proposed,
        lambda a: answers.ask(answer=questions(a.session)[1], by="t", now=now()),
    ),
    "type_while_recording": (begun, lambda a: answers.type_answer(answer=a, text="x", by="t", now=now())),
}


@pytest.mark.parametrize("case", CASES)
def test_snapshot_and_events_give_the_next_snapshot(session, sent, case, language_model):
    arrange, act = CASES[case]
    subject = arrange(session)
    before = state(session)
    sent.clear()
    act(subject)
    after = state(session)
    assert sent, "an action that tells nobody"
    assert before != after
    applied = before
    for message in sent:
        applied = applied_to(applied, message["event"])
    assert applied == after


def test_rendered_speech_event_gives_the_next_snapshot(session, sent):
    answer = asked(session)
    sent.clear()
    before = state(session)
    row = Speech.objects.get(pk=answer.speech_key)
    rendering.store(
        row,
        samples=np.zeros(2205, dtype=np.float32),
        sample_rate_hz=22_050,
        engine="espeak",
        engine_voice="espeak:en-us",
        is_last_resort=True,
    )
    applied = before
    for message in sent:
        applied = applied_to(applied, message["event"])
    assert applied == state(session) != before


def test_every_action_has_a_case():
    public = {
        name
        for module in (answers, sessions)
        for name, value in vars(module).items()
        if callable(value)
        and getattr(value, "__module__", None) == module.__name__
        and not name.startswith("_")
    }
    told_elsewhere = {
        "start",
        "hear_again",  # counted only
        "abandon",
        "abandon_idle",
        "mark_seen",
        "complete_unattended",
        "end_practice",
        "discard_recording",
    }
    covered = {"check_devices", "skip_practice", "ask", "begin", "finish", "accept", "retake", "type_answer"}
    covered.add("time_out")
    assert public == covered | told_elsewhere


def test_question_is_told_when_it_is_asked_and_not_before(session, sent):
    Speech.objects.update(status=Speech.Status.READY, storage_name="a", duration_ms=1500)
    journey.get_under_way(session)
    first, second, _ = journey.questions(session)
    texts = [answer.question_text for answer in session.answers.all()]
    keys = [answer.speech_key for answer in session.answers.all()]

    before = json.dumps(state(session))
    assert [text for text in [*texts, *keys] if text in before] == [
        texts[0],
        keys[0],
    ]  # the practice question

    sent.clear()
    answers.ask(answer=first, by="t", now=now())
    told = sent[-1]["event"]["answer"]
    assert (told["question"], told["speech_s"]) == (first.question_text, 1.5)
    assert first.speech_key in told["speech_url"]
    assert second.question_text not in json.dumps([state(session), sent])


def test_rendered_speech_of_a_question_that_was_not_asked_is_told_nobody(session, sent):
    Speech.objects.update(status=Speech.Status.WAITING)
    row = Speech.objects.get(pk=journey.questions(session)[0].speech_key)
    signals.speech_rendered.send(None, speech=row)
    assert sent == []


@pytest.mark.parametrize("is_allowed", [True, False])
def test_snapshot_says_whether_speaking_answers(session, is_allowed):
    session.definition.is_barge_in_allowed = is_allowed
    session.definition.save()
    assert state(session)["session"]["is_barge_in_allowed"] is is_allowed


def test_revoke_closes_the_connections(session, sent):
    invitations.revoke(invitation=session.invitation, by="t", now=now() + timedelta(seconds=1))
    assert sent[-1] == {"type": "session.closed"}


def test_transcript_and_storage_events_give_the_next_snapshot(session, sent, fake_recognition):
    answer = begun(session)
    finish(answer)
    before = state(session)
    sent.clear()
    transcribe(str(answer.recording_id))
    store(str(answer.recording_id))
    applied = before
    for message in sent:
        applied = applied_to(applied, message["event"])
    assert [m["event"]["name"] for m in sent] == ["transcript_recorded", "recording_stored"]
    assert applied == state(session) != before


def test_candidate_reads_the_transcript_although_it_is_stored_encrypted(
    encryption, session, sent, fake_recognition
):
    answer = transcribed(session)

    text = Transcript.objects.get().text
    assert text
    assert sent[-1]["event"]["answer"]["transcript"]["text"] == text
    assert transcript_of(session, answer)["text"] == text


def test_interview_goes_on_without_the_text_while_the_store_of_keys_is_away(
    encryption, session, sent, fake_recognition, monkeypatch
):
    def away():
        raise OSError("the store does not answer")

    answer = transcribed(session)
    keys.forget_all()
    monkeypatch.setattr(keys, "store", away)

    assert transcript_of(session, answer) == {"status": "done", "is_deferred": False, "text": ""}


def transcribed(session):
    answer = questions(session)[0]
    journey.answer_with(answer, factories.tone(0.5))
    transcribe(str(answer.recording_id))
    return answer


def transcript_of(session, answer):
    return next(each for each in state(session)["answers"] if each["id"] == str(answer.id))["transcript"]


def test_event_tells_what_is_true_when_it_is_sent(session, sent):
    answer = recorded(session)
    row = questions(session)[0]  # read before a worker stored the recording
    store(str(answer.recording_id))
    answers.accept(answer=row, by="t", now=now())
    assert sent[-1]["event"]["answer"]["recording"]["status"] == "stored"


def test_event_of_another_process_never_takes_an_accommodation_back(session, sent):
    answer = begun(session)  # read before it was given
    accommodate(session)
    publishing.publish("transcript_recorded", answer.session, answer)
    assert sent[-1]["event"]["session"]["accommodation"]["extra_percent"] == 50
