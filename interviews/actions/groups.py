"""Self-declared groups: what candidates say, and the reports that are counted of it.

A report is counted once, of whole quarters, and what it counted is deleted (ADR 43).
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from interviews import states, tokens
from interviews.actions.errors import BadValue, WrongState
from interviews.models import GroupDeclaration, GroupSurvey, ImpactReport, Interview, Invitation, Session
from interviews.queries import groups, impact
from interviews.queries.groups import Candidate

logger = logging.getLogger(__name__)

LEAST_DECLARED: Final = 100
"""So many candidates of a report named a group, at least. Fewer wait for the next quarter."""
SETTLES: Final = timedelta(days=30)
"""So long after a quarter's end it is counted: until then decisions are made, and groups named."""


def save_survey(*, survey: GroupSurvey, by: object, now: datetime) -> None:
    """Save what candidates are asked. From the first time on that they are, it can be counted."""
    if survey.is_asked and survey.asked_since is None:
        survey.asked_since = now.astimezone(UTC).date()
    survey.save()


@transaction.atomic
def declare(
    *, invitation: Invitation, groups_named: Mapping[str, str], key: UUID, by: object, now: datetime
) -> None:
    """Keep the groups that a candidate names, instead of those before; none is kept as well.

    key: of the candidate's browser. What another browser sent first stays, and this one is not told:
    recruiters have the link, and could send known groups for everyone but one.

    Raises:
        BadValue: a choice that was not offered.
        WrongState: the interview is not finished, or was counted; or groups are not asked any more.
    """
    session = Session.objects.select_for_update().filter(invitation=invitation).first()
    if session is None or session.status in states.OPEN_SESSION_STATUSES:
        raise WrongState(_("You are asked after the interview."))
    _lock_survey(organisation_id=invitation.interview.organisation_id)  # so that it is not counted meanwhile
    may_go_on = groups.is_asked if groups_named else groups.may_be_kept  # what was said can be taken back
    if not may_go_on(invitation, session):
        raise WrongState(_("This is not asked any more."))
    _refuse_what_is_not_offered(invitation, groups_named)
    row = GroupDeclaration.objects.filter(invitation=invitation).first()
    row = row or GroupDeclaration(pk=key, invitation=invitation)
    if row.pk == key:
        row.groups = groups_named
        row.save()


def _lock_survey(**of: int) -> GroupSurvey | None:
    return GroupSurvey.objects.select_for_update().filter(**of).first()


def _refuse_what_is_not_offered(invitation: Invitation, groups_named: Mapping[str, str]) -> None:
    offered = {each.key: {choice.key for choice in each.choices} for each in groups.questions_for(invitation)}
    if any(choice not in offered.get(question, ()) for question, choice in groups_named.items()):
        raise BadValue(_("groups: choose from what is offered."))


def count_due(*, now: datetime) -> int:
    """Make the reports that are due in each organisation; return how many."""
    until = last_settled_quarter(now.astimezone(UTC).date())
    surveys = GroupSurvey.objects.filter(asked_since__lte=until)
    return sum(_count(survey_id, until=until, now=now) for survey_id in surveys.values_list("pk", flat=True))


def last_settled_quarter(today: date) -> date:
    """Return the last day of the last quarter that ended `SETTLES` ago or earlier."""
    settled = today - SETTLES + timedelta(days=1)
    return date(settled.year, (settled.month - 1) // 3 * 3 + 1, 1) - timedelta(days=1)


@transaction.atomic
def _count(survey_id: int, *, until: date, now: datetime) -> int:
    survey = _lock_survey(pk=survey_id)
    if survey is None:
        return 0
    reports = [part for part in _parts(groups.to_count(survey, until=until)) if _is_enough(part)]
    for part in reports:
        _report(survey.organisation_id, part, until=until, now=now)
    return len(reports)


def _parts(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Return the candidates of each interview that has enough for a report, and all others together.

    No one is in two parts, so there is nothing to subtract.
    """
    by_interview: dict[UUID, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        by_interview[candidate.interview_id].append(candidate)
    alone = [part for part in by_interview.values() if _is_enough(part)]
    others = [each for part in by_interview.values() if not _is_enough(part) for each in part]
    return [*alone, others]


def _is_enough(part: Sequence[Candidate]) -> bool:
    return impact.is_enough([each.person for each in part], least_declared=LEAST_DECLARED)


def _report(organisation_id: int, part: Sequence[Candidate], *, until: date, now: datetime) -> None:
    report = ImpactReport.objects.create(
        organisation_id=organisation_id,
        first=min(each.finished_on for each in part),
        last=until,
        candidates=len(part),
        undecided=sum(not each.is_decided for each in part),
        tables=[each.kept for each in impact.tables([each.person for each in part])],
        counted_at=now,
    )
    report.interviews.set(Interview.objects.filter(pk__in={each.interview_id for each in part}))
    GroupDeclaration.objects.filter(invitation__in=[each.invitation_id for each in part]).delete()
    logger.info("report %s counts %d candidates", report.pk, len(part))


def rotate_keys() -> Counter[str]:
    """Write every declaration anew with the newest of `TOKEN_KEYS`.

    Return how many were `written`, and how many are `unreadable`.
    """
    keys = list(GroupDeclaration.objects.values_list("pk", flat=True))
    return Counter(ending for key in keys if (ending := _rotate(key)))


@transaction.atomic
def _rotate(key: UUID) -> str:
    """Return what became of it; "" where it has been counted or erased. Candidates declare meanwhile."""
    declaration = GroupDeclaration.objects.select_for_update().filter(pk=key).first()
    if declaration is None:
        return ""
    try:
        declaration.groups = declaration.groups
    except tokens.UnreadableToken:
        return "unreadable"
    declaration.save(update_fields=["groups_encrypted"])
    return "written"
