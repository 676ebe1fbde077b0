"""What the browser is told: the whole state, and how an event changes it.

`apply(snapshot, event)` is what the browser does (static/interviews/state.js mirrors it); for every action,
the snapshot before with its events applied equals the snapshot after.
"""

from django.utils import timezone

from interviews.models import Answer, Session
from interviews.states import AnswerStatus, SessionStatus
from voice import speech
from voice.models import Recording, Speech, Transcript


def snapshot(session: Session) -> dict:
    """The whole state of a session: {type, session, answers, now}."""
    answers = answers_of(session)
    spoken = _ready_keys(answers)
    return {
        "type": "snapshot",
        "session": session_state(session, answers),
        "answers": [answer_state(answer, spoken) for answer in answers],
        "now": timezone.now().isoformat(),
    }


def answers_of(session: Session) -> list[Answer]:
    """Every answer of the session with what is told of it, in one query."""
    return list(session.answers.select_related("recording__transcript"))


def session_state(session: Session, answers: list[Answer]) -> dict:
    """The session's own part of the state."""
    invitation = session.invitation
    current = _current(session, answers)
    return {
        "id": str(session.id),
        "version": session.version,
        "status": session.status,
        "current_answer": current and str(current.id),
        "language": invitation.interview.language,
        "candidate_name": invitation.candidate_name,
        "title": invitation.interview.title,
        "is_barge_in_allowed": invitation.interview.is_barge_in_allowed,
    }


def _current(session: Session, answers: list[Answer]) -> Answer | None:
    kinds: dict[str, str] = {
        SessionStatus.PRACTISING: Answer.Kind.PRACTICE,
        SessionStatus.UNDER_WAY: Answer.Kind.QUESTION,
    }
    kind = kinds.get(session.status)
    waiting = (a for a in answers if a.kind == kind and a.status != AnswerStatus.ACCEPTED)
    return min(waiting, key=lambda a: a.position, default=None)


def answer_state(answer: Answer, spoken: set[str] | None = None) -> dict:
    """One question and its answer. `spoken` are the speech keys that can be played."""
    spoken = _ready_keys([answer]) if spoken is None else spoken
    return {
        "id": str(answer.id),
        "version": answer.version,
        "kind": answer.kind,
        "position": answer.position,
        "question": answer.question_text,
        "speech_url": speech.url(answer.speech_key) if answer.speech_key in spoken else None,
        "think_s": answer.think_seconds,
        "limit_s": answer.answer_limit_seconds,
        "retakes_left": answer.retakes_left,
        "status": answer.status,
        "asked_at": answer.asked_at and answer.asked_at.isoformat(),
        "recording": _recording_state(answer.recording),
        "typed_text": answer.typed_text or None,
        "transcript": _transcript_state(answer.recording),
    }


def _recording_state(recording: Recording | None) -> dict | None:
    if recording is None:
        return None
    return {"id": str(recording.id), "status": recording.status, "bytes": recording.byte_count}


def _transcript_state(recording: Recording | None) -> dict | None:
    transcript: Transcript | None = getattr(recording, "transcript", None)  # the row may be missing
    if transcript is None:
        return None
    return {"status": transcript.status, "is_deferred": transcript.is_deferred, "text": transcript.text}


def _ready_keys(answers: list[Answer]) -> set[str]:
    keys = {answer.speech_key for answer in answers}
    ready = Speech.objects.filter(pk__in=keys, status=Speech.Status.READY)
    return set(ready.values_list("pk", flat=True))


def apply(state: dict, event: dict) -> dict:
    """The state after the event: its session and its answer take the place of older ones. Pure."""
    answer = event.get("answer")
    return {
        **state,
        "session": newer(state["session"], event["session"]),
        "answers": [newer(a, answer) if answer and a["id"] == answer["id"] else a for a in state["answers"]],
    }


def newer(held: dict, came: dict) -> dict:
    """Whichever of two states of one thing is newer; processes may send in another order than they wrote."""
    return came if came["version"] >= held["version"] else held
