"""Progress of candidates: answered questions out of all, and which answer is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from django.db.models import Count, F, Func, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext

from accounts import access
from accounts.models import User
from interviews.models import Answer, Erasure, Interview, Invitation, Question, Session
from interviews.states import AnswerStatus


@dataclass(frozen=True, slots=True)
class Progress:
    """Answered questions and all questions, without the practice question."""

    answered: int
    total: int

    def __str__(self) -> str:
        return gettext("%(n)d of %(total)d answered") % {"n": self.answered, "total": self.total}


class InOrder(Protocol):
    """What is read of an answer, in the order of the questions."""

    @property
    def status(self) -> str:
        """`AnswerStatus`."""

    @property
    def follow_up_by(self) -> Any:
        """Until when a follow-up question to it is awaited."""


A = TypeVar("A", bound=InOrder)


def due(answers: Sequence[A]) -> A | None:
    """Return the answer that is due: to the next question, or the last one while a follow-up is awaited."""
    awaited = (answer for answer in answers if answer.follow_up_by is not None)
    waiting = (answer for answer in answers if answer.status != AnswerStatus.ACCEPTED)
    return next(awaited, None) or next(waiting, None)


def count_sessions(owner: str) -> dict[str, int]:
    """Return how many interviews of an organisation have each status.

    owner: `Caller.owner`, such as "organisation:7"; others have no interviews.
    """
    kind, _, organisation_id = owner.partition(":")
    found = Session.objects.counted().filter(invitation__interview__organisation_id=organisation_id)
    counts = found.values_list("status").annotate(Count("pk")) if kind == "organisation" else ()
    return dict.fromkeys(Session.Status.values, 0) | dict(counts)


def of_invitations(rows: QuerySet[Invitation]) -> QuerySet[Invitation]:
    """`rows` with `answered_count` and `question_count`, for `of`.

    A session counts its own copies of the questions. Before it begins, the published questions count.
    """
    answers = Answer.objects.filter(session__invitation=OuterRef("pk"), kind=Answer.Kind.QUESTION)
    published = Func(
        F("interview__published__questions"), function="jsonb_array_length", output_field=IntegerField()
    )
    return rows.annotate(
        answered_count=Coalesce(_count(answers.filter(status=Answer.Status.ACCEPTED), "session"), 0),
        question_count=Coalesce(_count(answers, "session"), published, 0),
    )


def of_sessions(rows: QuerySet[Session]) -> QuerySet[Session]:
    """`rows` with `answered_count` and `question_count`, for `of`."""
    answers = Answer.objects.filter(session=OuterRef("pk"), kind=Answer.Kind.QUESTION)
    return rows.annotate(
        answered_count=Coalesce(_count(answers.filter(status=Answer.Status.ACCEPTED), "session"), 0),
        question_count=Coalesce(_count(answers, "session"), 0),
    )


def of_interviews(rows: QuerySet[Interview], user: User) -> QuerySet[Interview]:
    """`rows` with `questions_n`, `invited_n` and `finished_n`.

    The last two count candidates whom the user may see, and those who were erased.
    """
    questions = Question.objects.filter(interview=OuterRef("pk"))
    invited: QuerySet = Invitation.objects.counted().filter(interview=OuterRef("pk"))
    erased: QuerySet = Erasure.objects.filter(interview=OuterRef("pk"), is_trial=False)
    if access.is_by_assignment(user):  # for others it would be a join for each interview
        invited = access.scoped(invited, user, path="interview__organisation_id")
        erased = access.scoped(erased, user, path="interview__organisation_id")
    finished = invited.filter(session__status=Session.Status.FINISHED)
    erased_finished = erased.filter(invitation_status=Invitation.Status.FINISHED)
    return rows.annotate(
        questions_n=Coalesce(_count(questions, "interview"), 0),
        invited_n=Coalesce(_count(invited, "interview"), 0) + Coalesce(_count(erased, "interview"), 0),
        finished_n=Coalesce(_count(finished, "interview"), 0)
        + Coalesce(_count(erased_finished, "interview"), 0),
    )


def of(row: Any) -> Progress:
    """Return the progress of an invitation or a session from one of the functions above."""
    return Progress(row.answered_count, row.question_count)


def _count(rows: QuerySet, parent: str) -> Subquery:
    """Count the `rows` with the same `parent`, as a column; NULL when there is none."""
    return Subquery(rows.order_by().values(parent).annotate(count=Count("pk")).values("count"))
