"""Telling every connection of a session what happened, once it is committed."""

from uuid import UUID

from django.db import transaction

from interviews.events import snapshots
from interviews.models import Answer, Session
from voice.infra import channel_layer, sql


def group_name(session_id: UUID | str) -> str:
    """The channel-layer group of a session's connections."""
    return f"session.{session_id}"


def publish(name: str, session: Session, answer: Answer | None = None) -> None:
    """Send event `name` (past tense) with the new state of the session and the answer, on commit.

    The versions grow with each event: a browser that gets an older state after a newer one, from another
    process, ignores it. Whoever raises the session's version holds its row until the commit, and reads what
    is told only then. So a later version never tells less than an earlier one, whoever wrote in between.
    """
    with transaction.atomic(savepoint=False):
        raised = sql.fetch(_RAISE_SESSION, session.pk)
        if not raised:
            return  # deleted: nobody is left to be told
        [(session.version, session.status)] = raised  # the row in hand may be old
        if answer is not None:
            sql.change(_RAISE_ANSWER, answer.pk)
        rows = snapshots.answers_of(session)
        event = {"type": "event", "name": name, "session": snapshots.session_state(session, rows)}
        if answer is not None:
            event["answer"] = snapshots.answer_state(next(row for row in rows if row.id == answer.pk))
        message = {"type": "session.event", "event": event}
        transaction.on_commit(lambda: channel_layer.group_send(group_name(session.pk), message))


_RAISE_SESSION = "UPDATE interviews_session SET version = version + 1 WHERE id = %s RETURNING version, status"
_RAISE_ANSWER = "UPDATE interviews_answer SET version = version + 1 WHERE id = %s"


def close_connections(session_id: UUID) -> None:
    """Tell the session's connections that the interview is closed, on commit."""
    message = {"type": "session.closed"}
    transaction.on_commit(lambda: channel_layer.group_send(group_name(session_id), message))
