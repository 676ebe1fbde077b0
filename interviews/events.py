"""Telling every connection of a session what happened, once it is committed."""

from uuid import UUID

from django.db import transaction

from interviews import snapshots
from interviews.models import Answer, Session
from voice import channel


def group_name(session_id: UUID | str) -> str:
    """The channel-layer group of a session's connections."""
    return f"session.{session_id}"


def publish(name: str, session: Session, answer: Answer | None = None) -> None:
    """Send event `name` (past tense) with the new state of the session and the answer, on commit."""

    def send() -> None:
        event = {"type": "event", "name": name, "session": snapshots.session_state(session)}
        if answer is not None:
            event["answer"] = snapshots.answer_state(answer)
        channel.group_send(group_name(session.pk), {"type": "session.event", "event": event})

    transaction.on_commit(send)


def close_connections(session_id: UUID, *, problem: str) -> None:
    """Tell the session's connections that their link no longer works, on commit."""
    message = {"type": "session.closed", "problem": problem}
    transaction.on_commit(lambda: channel.group_send(group_name(session_id), message))
