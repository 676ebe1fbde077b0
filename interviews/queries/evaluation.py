"""The evaluation of one session, as far as one member of staff may see it.

Pages take it from here only: what `blindness` hides is not read from the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from accounts import access
from accounts.models import User
from interviews import states
from interviews.models import Assignment, Decision, Note, Scorecard, Session, Submission
from interviews.models.rubric import RubricCriterion
from interviews.queries import blindness, suggestions
from interviews.queries.blindness import Visible


@dataclass(frozen=True, slots=True)
class Score:
    """The level of one criterion, and a note. level: None if none is chosen yet. questions: their numbers."""

    criterion: RubricCriterion
    level: int | None
    note: str
    questions: list[int]

    @property
    def sentence(self) -> str:
        """What the level means; empty if the answers gave no basis."""
        return self.criterion.levels[self.level - 1] if self.level else ""

    @property
    def is_without_basis(self) -> bool:
        return self.level == Submission.NO_BASIS


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a reviewer has submitted. earlier: the submissions before, the newest first."""

    reviewer: User
    scores: list[Score]
    is_blind: bool
    submitted_at: datetime
    earlier: "list[Opinion]"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """scores: the viewer's own draft. own, others: what is submitted. decisions: the newest first.

    drafted: what a language model suggests; None before the viewer's own score is submitted.
    viewer: None for a program.
    """

    session: Session
    viewer: User | None
    visible: Visible
    has_ended: bool
    may_decide: bool
    card: Scorecard | None
    scores: list[Score]
    own: Opinion | None
    others: list[Opinion]
    notes: list[Note]
    decisions: list[Decision]
    assignments: list[Assignment]
    drafted: suggestions.ShownDraft | None = None

    @property
    def opinions(self) -> list[Opinion]:
        """Everything that is submitted and may be seen."""
        return [*([self.own] if self.own else []), *self.others]

    @property
    def is_blind(self) -> bool:
        """Whether others' scores are hidden from the viewer."""
        return not self.visible.scores

    @property
    def decision(self) -> Decision | None:
        return next((each for each in self.decisions if each.is_current), None)

    @property
    def is_swaying(self) -> bool:
        """Whether it shows others' judgement to a viewer who can still give a blind score."""
        if self.visible.scores or (self.card is not None and not self.card.is_blind):
            return False
        authors = {each.decided_by_id for each in self.decisions} | {each.author_id for each in self.notes}
        return bool(authors - {self.viewer.pk if self.viewer else None})

    @property
    def is_changed(self) -> bool:
        """Whether the draft is not what was submitted last."""
        return self.own is not None and _kept(self.scores) != _kept(self.own.scores)


def shown_to(viewer: blindness.Viewer, session: Session) -> Evaluation:
    """Return what a person or a program may see of the evaluation of a session."""
    return _all_submitted(session) if isinstance(viewer, blindness.Program) else of(session, viewer)


def _all_submitted(session: Session) -> Evaluation:
    """Return what was submitted and decided: no notes, drafts and suggestions, which are for people."""
    return Evaluation(
        session=session,
        viewer=None,
        visible=Visible(scores=True, judgement=True),
        has_ended=session.status not in states.OPEN_SESSION_STATUSES,
        may_decide=False,
        card=None,
        scores=[],
        own=None,
        others=_opinions(session, Q()),
        notes=[],
        decisions=list(session.decisions.select_related("decided_by")),
        assignments=[],
    )


def of(session: Session, viewer: User) -> Evaluation:
    """Return what the viewer may see of the evaluation of a session."""
    card = Scorecard.objects.filter(session=session, reviewer=viewer).first()
    visible = blindness.of(session, viewer, card=card)
    own = _opinions(session, Q(scorecard__reviewer=viewer))
    is_writer = access.has_role(viewer, session.interview.organisation_id, access.WRITERS)
    assignments = session.assignments.select_related("reviewer") if is_writer else Assignment.objects.none()
    return Evaluation(
        session=session,
        viewer=viewer,
        visible=visible,
        has_ended=session.status not in states.OPEN_SESSION_STATUSES,
        may_decide=is_writer,
        card=card,
        scores=_scores(session, card.draft if card else {}),
        own=own[0] if own else None,
        others=_opinions(session, ~Q(scorecard__reviewer=viewer)) if visible.scores else [],
        notes=list(_notes(session, viewer, visible)),
        decisions=list(session.decisions.select_related("decided_by")) if visible.judgement else [],
        assignments=list(assignments),
        drafted=suggestions.of(session) if own else None,
    )


def _notes(session: Session, viewer: User, visible: Visible) -> QuerySet[Note]:
    shared = Q(is_shared=True) if visible.judgement else Q(pk=None)
    return session.notes.filter(shared | Q(author=viewer)).select_related("author")


def _opinions(session: Session, whose: Q) -> list[Opinion]:
    rows = Submission.objects.filter(whose, scorecard__session=session)
    by_card: dict[Any, list[Submission]] = {}
    for row in rows.select_related("scorecard__reviewer").order_by("-submitted_at", "-pk"):
        by_card.setdefault(row.scorecard_id, []).append(row)
    found = [_opinion(session, *submissions) for submissions in by_card.values()]
    return sorted(found, key=lambda opinion: opinion.reviewer.username)


def _opinion(session: Session, last: Submission, *earlier: Submission) -> Opinion:
    return Opinion(
        reviewer=last.scorecard.reviewer,
        scores=_scores(session, last.scores),
        is_blind=last.is_blind,
        submitted_at=last.submitted_at,
        earlier=[_opinion(session, submission) for submission in earlier],
    )


def _scores(session: Session, kept: Mapping[str, Any]) -> list[Score]:
    """Return a score for each criterion of the version that the candidate agreed to."""
    if session.definition is None:
        return []
    numbers = {question.id: n for n, question in enumerate(session.definition.asked, start=1)}
    found = []
    for criterion in session.definition.criteria:
        level, note = kept.get(str(criterion.id), (None, ""))
        about = sorted(numbers[key] for key in criterion.questions if key in numbers)
        found.append(Score(criterion, level, note, about))
    return found


def _kept(scores: list[Score]) -> list[tuple[int | None, str]]:
    return [(score.level, score.note) for score in scores]
