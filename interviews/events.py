"""Telling every connection of a session what happened, once it is committed."""

from uuid import UUID

from django.db import transaction
from django.db.models import F

from interviews import snapshots
from interviews.models import Answer, Session
from voice import channel


def group_name(session_id: UUID | str) -> str:
    """The channel-layer group of a session's connections."""
    return f"session.{session_id}"


def publish(name: str, session: Session, answer: Answer | None = None) -> None:
    """Send event `name` (past tense) with the new state of the session and the answer, on commit.

    The rows are read again then, and their versions grow with each event: a browser that gets an older state
    after a newer one, from another process, ignores it.
    """
    Session.objects.filter(pk=session.pk).update(version=F("version") + 1)
    if answer is not None:
        Answer.objects.filter(pk=answer.pk).update(version=F("version") + 1)
    transaction.on_commit(lambda: _send(name, session.pk, answer.pk if answer else None))


def _send(name: str, session_id: UUID, answer_id: UUID | None) -> None:
    session = Session.objects.select_related("invitation__interview").get(pk=session_id)
    answers = snapshots.answers_of(session)
    event = {"type": "event", "name": name, "session": snapshots.session_state(session, answers)}
    if answer_id is not None:
        event["answer"] = snapshots.answer_state(next(a for a in answers if a.pk == answer_id))
    channel.group_send(group_name(session_id), {"type": "session.event", "event": event})


def close_connections(session_id: UUID) -> None:
    """Tell the session's connections that the interview is closed, on commit."""
    message = {"type": "session.closed"}
    transaction.on_commit(lambda: channel.group_send(group_name(session_id), message))
