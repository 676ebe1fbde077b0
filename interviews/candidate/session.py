"""The interview of a connection: its rows are read and its actions called in threads."""

import time
from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from interviews.actions import sessions
from interviews.actions.errors import NotYours
from interviews.admission import estimate
from interviews.events import snapshots
from interviews.models import Answer, Invitation, Session
from interviews.queries import links, rows
from interviews.states import SessionStatus
from voice.infra.threads import in_thread

SEEN_EVERY_S = 60


@in_thread
def find(token: str) -> tuple[Session, float]:
    """The session of a link, and how long a new candidate's interview takes, in s.

    Raises:
        LinkProblem: no such link, no consent yet, or the link has ended.
    """
    invitation, session = links.find(token, now=timezone.now(), is_finished_welcome=True)
    if session is None:
        raise links.LinkProblem("unknown", invitation)  # consent comes first
    is_new = session.status == SessionStatus.CHECKING
    return session, estimate.expected_s(invitation.interview_id) if is_new else 0.0


class CandidateSession:
    """A session as its candidate may read and change it.

    Every method raises Session.DoesNotExist once the candidate was erased.
    """

    def __init__(self, session_id: UUID, invitation: Invitation) -> None:
        """invitation: in its name every action is done."""
        self.id = session_id
        self._invitation = invitation
        self._seen_at = time.monotonic()

    @in_thread
    def snapshot(self) -> dict:
        """All that the page shows; the candidate was seen."""
        sessions.mark_seen(session_id=self.id)
        return snapshots.snapshot(rows.session(self.id))

    @in_thread
    def mark_seen(self) -> bool:
        """The candidate was seen now. False: the session was erased."""
        return sessions.mark_seen(session_id=self.id)

    async def mark_seen_if_due(self) -> None:
        """The same, once a minute. Raises Session.DoesNotExist when the candidate was erased."""
        if time.monotonic() - self._seen_at > SEEN_EVERY_S:
            self._seen_at = time.monotonic()
            if not await self.mark_seen():
                raise Session.DoesNotExist

    @in_thread
    @transaction.atomic
    def act(self, action: Callable[..., None]) -> None:
        """Call an action on the session."""
        session = rows.session(self.id, is_locked=True)
        action(session=session, by=self._invitation, now=timezone.now())

    @in_thread
    @transaction.atomic
    def act_on_answer(self, action: Callable[..., None], answer_id: str, **values: object) -> Answer:
        """Call an action on an answer of the session; return the answer.

        Raises:
            NotYours: the session has no answer with that id.
        """
        answer = self._answer(answer_id, is_locked=True)
        action(answer=answer, by=self._invitation, now=timezone.now(), **values)
        return answer

    @in_thread
    def answer(self, answer_id: str) -> Answer:
        """An answer of the session. Raises NotYours if there is none with that id."""
        return self._answer(answer_id)

    def _answer(self, answer_id: str, *, is_locked: bool = False) -> Answer:
        try:
            session = rows.session(self.id, is_locked=is_locked)
            answer = rows.answer(session, UUID(answer_id))
        except ValueError:
            answer = None
        if answer is None:
            raise NotYours("answer: this interview has none with that id.")
        return answer
