"""Self-declared groups: whom they are asked of, and what is counted of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date
from statistics import mean
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import TruncDate

from interviews.models import (
    Decision,
    GroupDeclaration,
    GroupSurvey,
    ImpactReport,
    InterviewVersion,
    Invitation,
    Session,
    Submission,
)
from interviews.queries.impact import Person
from interviews.texts import groups
from interviews.texts.groups import GroupQuestion


def is_asked(invitation: Invitation, session: Session | None) -> bool:
    """Whether this candidate is asked, now or after the interview."""
    if not invitation.is_asked_for_groups:
        return False
    return session is None or session.finished_at is None or may_be_kept(invitation, session)


def may_be_kept(invitation: Invitation, session: Session) -> bool:
    """Whether groups that were named after this interview are still kept: it is in no report yet."""
    survey = _survey_of(invitation)
    if survey is None or survey.asked_since is None or session.finished_at is None:
        return False
    finished_on = session.finished_at.astimezone(UTC).date()
    counted = ImpactReport.objects.filter(interviews=invitation.interview_id, last__gte=finished_on)
    return survey.asked_since <= finished_on and not counted.exists()


def questions_for(invitation: Invitation) -> Sequence[GroupQuestion]:
    """Return what candidates of the organisation are asked."""
    survey = _survey_of(invitation)
    return groups.questions(survey.text) if survey else ()


def _survey_of(invitation: Invitation) -> GroupSurvey | None:
    return GroupSurvey.objects.filter(organisation=invitation.interview.organisation_id).first()


def _uncounted() -> QuerySet[Session]:
    """Finished interviews that are in no report yet, with `finished_on`, without trials."""
    finished = Session.objects.counted().filter(status=Session.Status.FINISHED)
    report = ImpactReport.objects.filter(
        interviews=OuterRef("invitation__interview"), last__gte=OuterRef("finished_on")
    )
    return finished.annotate(finished_on=TruncDate("finished_at", tzinfo=UTC)).filter(~Exists(report))


class Candidate(NamedTuple):
    """A candidate to be counted. interview_id: of which interview."""

    invitation_id: UUID
    interview_id: UUID
    finished_on: date
    is_decided: bool
    person: Person


def to_count(survey: GroupSurvey, *, until: date) -> list[Candidate]:
    """Return the candidates of an organisation who finished until this day, and are in no report yet.

    Raises UnreadableToken, if a key is missing in `TOKEN_KEYS`: a report is never made anew.
    """
    current = Decision.objects.filter(session=OuterRef("pk"), is_current=True).values("outcome")[:1]
    uncounted: Any = _uncounted()
    sessions = uncounted.filter(
        invitation__interview__organisation=survey.organisation_id,
        finished_on__range=(survey.asked_since, until),
    )
    declared = _declared(sessions)
    scores = _scores(sessions)
    rows: Any = sessions.annotate(outcome=Subquery(current)).values_list(
        *("pk", "invitation", "invitation__interview", "finished_on", "outcome")
    )
    return [
        Candidate(
            invitation_id,
            interview_id,
            finished_on,
            outcome is not None,
            Person(declared.get(invitation_id, {}), outcome == Decision.Outcome.ADVANCE, scores.get(pk)),
        )
        for pk, invitation_id, interview_id, finished_on, outcome in rows
    ]


def _declared(sessions: QuerySet[Session]) -> dict[UUID, Mapping[str, str]]:
    rows = GroupDeclaration.objects.filter(invitation__in=sessions.values("invitation"))
    return {
        row.invitation_id: {
            question: choice for question, choice in row.groups.items() if choice != groups.NEITHER
        }
        for row in rows.iterator()
    }


def _scores(sessions: QuerySet[Session]) -> dict[UUID, float]:
    """Return the mean of all levels that were submitted last for each session.

    Rubrics have two to five levels, so a level counts as its place from the lowest, 0, to the highest, 1.
    """
    versions = InterviewVersion.objects.filter(pk__in=sessions.order_by().values("definition"))
    highest = {
        (version.pk, criterion.id): len(criterion.levels)
        for version in versions.only("rubric")
        for criterion in version.criteria
    }
    last = Submission.objects.filter(scorecard__session__in=sessions.values("pk"))
    last = last.order_by("scorecard_id", "-submitted_at", "-pk").distinct("scorecard_id")
    places: dict[UUID, list[float]] = defaultdict(list)
    for session_id, version_id, scores in last.values_list(
        "scorecard__session", "scorecard__session__definition", "scores"
    ):
        for criterion_id, (level, _note) in scores.items():
            levels = highest.get((version_id, int(criterion_id)), 0)
            if level and levels > 1:
                places[session_id].append((level - 1) / (levels - 1))
    return {session_id: mean(found) for session_id, found in places.items()}
