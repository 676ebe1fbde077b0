"""The interview of a connection. Its rows are read, and its actions are called, in threads."""

import time
from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from interviews.actions import observations, sessions
from interviews.actions.errors import NotYours
from interviews.admission import estimate, time_spent
from interviews.candidate.clock import AnswerClock
from interviews.candidate.noticing import Noticing
from interviews.events import snapshots
from interviews.models import Answer, Invitation, Observation, Session
from interviews.queries import links, rows
from interviews.states import InvitationStatus, SessionStatus
from voice.infra.threads import in_thread

SEEN_EVERY_S = 60


@in_thread
def find(token: str) -> tuple[Session, float]:
    """Return the session of a link, and how long a new candidate's interview takes, in s.

    Raises:
        LinkProblem: no such link, no consent yet, or the link has ended.
    """
    invitation, session = links.find(token, now=timezone.now(), is_finished_welcome=True)
    if session is None:
        raise links.LinkProblem("unknown", invitation)  # consent comes first
    is_new = session.status == SessionStatus.CHECKING
    return session, estimate.expected_s(session.agreed) if is_new else 0.0


class CandidateSession:
    """A session, with what its candidate may read and change.

    Every method raises Session.DoesNotExist once the candidate was erased.
    """

    def __init__(self, session_id: UUID, invitation: Invitation) -> None:
        """invitation: the `by` of every action."""
        self.id = session_id
        self._invitation = invitation
        self._seen_at = time.monotonic()
        self.clock = AnswerClock()
        self._noticing = Noticing()

    async def snapshot(self) -> dict:
        """Return all that the page shows, and note that the candidate was seen.

        Raises:
            LinkProblem: the link was revoked before this connection could be told.
        """
        snapshot = await self._read_snapshot()
        self.clock.spent = await time_spent.read(self.id)
        self.clock.follow(snapshot["session"], snapshot["answers"], now_s=time.monotonic())
        return snapshot

    @in_thread
    def note(self, kind: Observation.Kind) -> None:
        """Note a fact of integrity."""
        observations.note(session_id=self.id, kind=kind, by=self._invitation, now=timezone.now())

    async def notice(self, kind: Observation.Kind, *, characters: int | None = None) -> None:
        """Note what the page noticed, unless it says too much. Raises BadValue as the action does."""
        noticing, now_s = self._noticing, time.monotonic()
        is_noted = (
            noticing.may_leave(now_s) if kind == Observation.Kind.LEFT_PAGE else noticing.may_note(now_s)
        )
        if is_noted:
            await self._notice(kind, characters)

    @in_thread
    def _notice(self, kind: Observation.Kind, characters: int | None) -> None:
        by, now = self._invitation, timezone.now()
        observations.note_of_page(session_id=self.id, kind=kind, characters=characters, by=by, now=now)

    async def come_back(self) -> None:
        """The page is there again, if it was left."""
        if self._noticing.may_return():
            await self._come_back()

    @in_thread
    def _come_back(self) -> None:
        observations.note_return(session_id=self.id, by=self._invitation, now=timezone.now())

    async def keep_time(self) -> None:
        """Note how long this connection had to think: the next one goes on from there."""
        if seconds := self.clock.thought_s(time.monotonic()):
            await time_spent.add(self.id, self.clock.thinking, seconds)

    @in_thread
    def _read_snapshot(self) -> dict:
        sessions.mark_seen(session_id=self.id)
        session = rows.session(self.id)
        if session.invitation.status == InvitationStatus.REVOKED:
            raise links.LinkProblem("revoked", session.invitation)
        return snapshots.snapshot(session)

    def follow(self, event: dict) -> None:
        """Let the clock follow an event that the page is told of."""
        answers = [event["answer"]] if "answer" in event else []
        self.clock.follow(event["session"], answers, now_s=time.monotonic())

    @in_thread
    def mark_seen(self) -> bool:
        """Note that the candidate was seen now. Return False if the session was erased."""
        return sessions.mark_seen(session_id=self.id)

    async def mark_seen_if_due(self) -> None:
        """Note it once a minute. Raises Session.DoesNotExist when the candidate was erased."""
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
