"""Events to every connection of a session, sent after the commit."""

from uuid import UUID

from django.db import transaction

from interviews.events import snapshots, watchers
from interviews.models import Answer, Session
from voice.infra import channel_layer, sql


def group_name(session_id: UUID | str) -> str:
    """The channel-layer group of a session's connections."""
    return f"session.{session_id}"


def publish(name: str, session: Session, answer: Answer | None = None) -> None:
    """Send event `name` (past tense) with the new state of the session and the answer, on commit.

    The versions grow with each event, so a browser ignores an older state that arrives late from another
    process. The update of the version locks the session's row until the commit, and the state is read after
    it. So a later version never contains less than an earlier one.
    """
    with transaction.atomic(savepoint=False):
        raised = sql.fetch(_RAISE_SESSION, session.pk)
        if not raised:
            return  # the session was deleted
        [(session.version, session.status)] = raised  # the row in memory may be outdated
        if answer is not None:
            sql.change(_RAISE_ANSWER, answer.pk)
        rows = snapshots.answers_of(session)
        event = {"type": "event", "name": name, "session": snapshots.session_state(session, rows)}
        if answer is not None:
            event["answer"] = snapshots.answer_state(next(row for row in rows if row.id == answer.pk))
        message = {"type": "session.event", "event": event}
        organisation_id = session.invitation.interview.organisation_id
        transaction.on_commit(lambda: _send(session.pk, organisation_id, message))


def _send(session_id: UUID, organisation_id: int, message: dict) -> None:
    channel_layer.group_send(group_name(session_id), message)
    watchers.hint(organisation_id)


_RAISE_SESSION = "UPDATE interviews_session SET version = version + 1 WHERE id = %s RETURNING version, status"
_RAISE_ANSWER = "UPDATE interviews_answer SET version = version + 1 WHERE id = %s"


def close_connections(session_id: UUID) -> None:
    """Close the session's connections on commit, because the interview is closed."""
    message = {"type": "session.closed"}
    transaction.on_commit(lambda: channel_layer.group_send(group_name(session_id), message))
