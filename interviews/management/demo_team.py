"""What the hiring team of the demo does: it scores and decides about candidates, and offers an open link.

Each candidate is judged in one transaction, and one who is assigned to a reviewer already is left alone. So
nothing is done twice, and what people did stays.
"""

import random
from collections.abc import Sequence
from datetime import timedelta
from statistics import mean
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from interviews.actions import assignments, decisions, mails, notes, open_links, scorecards
from interviews.management.demo_content import REVIEWERS
from interviews.models import Decision, Interview, Session
from interviews.models.rubric import RubricCriterion

RECRUITER = "recruiter"
LINK_DAYS, INTERVIEW_DAYS = 30, 14
ABILITY = (1.2, 4.2)
"""The level of a candidate's answers lies between these."""
SPREAD = 0.7
"""How far the criteria of one candidate differ, in levels."""
APART = (0, 0, 0, -1, 1)
"""How far two reviewers differ, in levels: three times in five not at all."""
ADVANCE_FROM, HOLD_FROM = 2.9, 2.1


def open_link(*, interview: Interview, places: int, by: User) -> None:
    """Offer an open link where e-mails can be sent and there was none yet."""
    is_possible = mails.can_send() and interview.status == Interview.Status.PUBLISHED
    if is_possible and not interview.open_links.exists():
        now = timezone.now()
        ends_at = now + timedelta(days=LINK_DAYS)
        open_links.create(
            interview=interview, places=places, ends_at=ends_at, days=INTERVIEW_DAYS, by=by, now=now
        )


@transaction.atomic
def judge(*, interview: Interview, email: str, state: str, note: str, words: dict[str, Any]) -> None:
    """Let the team do what `state` asks for: "decided" and "scored" are scored, "waiting" waits for it.

    Do nothing before the interview is finished, or in an organisation without the demo's reviewers.
    """
    rows = Session.objects.counted().filter(
        invitation__interview=interview, invitation__candidate_email=email
    )
    session = rows.filter(status=Session.Status.FINISHED, assignments=None).first()
    reviewers, recruiters = (_members(interview, names) for names in (REVIEWERS, [RECRUITER]))
    criteria = session.definition.criteria if session and session.definition else []
    if session is None or not criteria or not reviewers or not recruiters:
        return
    recruiter = recruiters[0]
    now, chosen = timezone.now(), random.Random(f"{interview.title} {email}")
    assignments.assign(sessions=[session], reviewers=reviewers, each=len(reviewers), by=recruiter, now=now)
    if state == "waiting":
        return
    levels = _levels(criteria, chosen, reviewers=len(reviewers))
    for reviewer, given in zip(reviewers, levels, strict=True):
        scores = {key: (level, chosen.choice(words["notes"][level - 1])) for key, level in given.items()}
        scorecards.submit(session=session, scores=scores, by=reviewer, now=now)
    if note:
        notes.write(session=session, text=note, is_shared=True, by=recruiter, now=now)
    if state == "decided":
        outcome = _outcome(mean(level for given in levels for level in given.values()))
        reason = chosen.choice(words["reasons"][outcome])
        decisions.decide(session=session, outcome=outcome, reason=reason, after=None, by=recruiter, now=now)


def _members(interview: Interview, usernames: Sequence[str]) -> list[User]:
    """Return those of them who work for the organisation of the interview."""
    members = User.objects.filter(username__in=usernames, memberships__organisation=interview.organisation_id)
    return list(members.order_by("username"))


def _levels(
    criteria: list[RubricCriterion], chosen: random.Random, *, reviewers: int
) -> list[dict[str, int]]:
    """Return, for each reviewer, the level of each criterion by its id."""
    ability = chosen.uniform(*ABILITY)
    heard = {criterion: chosen.gauss(ability, SPREAD) for criterion in map(_key, criteria)}
    most = {_key(criterion): len(criterion.levels) for criterion in criteria}
    return [
        {key: min(max(round(level) + chosen.choice(APART), 1), most[key]) for key, level in heard.items()}
        for _reviewer in range(reviewers)
    ]


def _key(criterion: RubricCriterion) -> str:
    return str(criterion.id)


def _outcome(mean_level: float) -> str:
    if mean_level >= ADVANCE_FROM:
        return Decision.Outcome.ADVANCE.value
    return Decision.Outcome.HOLD.value if mean_level >= HOLD_FROM else Decision.Outcome.REJECT.value
