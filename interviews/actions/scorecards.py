"""Scorecards: each reviewer scores alone, and sees others' scores after submitting.

    scorecards.keep(session=session, scores=scores, by=user, now=now)  # a draft: the reviewer alone sees it
    scorecards.submit(session=session, scores=scores, by=user, now=now)  # from now on others see it

What was submitted stays: a change is a further submission.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from interviews import states
from interviews.actions import outbox
from interviews.actions.errors import BadValue, WrongState
from interviews.models import EventType, Scorecard, Session, Submission
from interviews.models.rubric import RubricCriterion

logger = logging.getLogger(__name__)

LONGEST_NOTE = 2000
Scores = Mapping[str, tuple[int | None, str]]
"""By the criterion's id: the level, `Submission.NO_BASIS` or None if none is chosen yet; and a note."""


@transaction.atomic
def keep(*, session: Session, scores: Scores, by: User, now: datetime) -> Scorecard:
    """Keep the reviewer's draft.

    Raises:
        BadValue: a level or criterion that the rubric does not have, or a note that is too long.
        WrongState: the interview is under way, or has no rubric.
    """
    draft = _checked(scores, _criteria(session))
    card = _own(session, by, now)
    card.draft, card.kept_at = draft, now
    card.save(update_fields=["draft", "kept_at"])
    return card


@transaction.atomic
def submit(*, session: Session, scores: Scores, by: User, now: datetime) -> Submission:
    """Submit the reviewer's score. The same as before makes no further submission.

    Raises:
        BadValue: as `keep`; also when a criterion has no level.
        WrongState: as `keep`.
    """
    card = keep(session=session, scores=scores, by=by, now=now)
    missing = [each.name for each in _criteria(session) if card.draft.get(str(each.id), [None])[0] is None]
    if missing:
        raise BadValue(_("Choose a level for: %s.") % ", ".join(missing))
    last = card.submissions.order_by("-submitted_at", "-pk").first()
    if last is not None and last.scores == card.draft:
        return last
    submission = Submission.objects.create(
        scorecard=card, scores=card.draft, is_blind=card.is_blind, submitted_at=now
    )
    outbox.tell(EventType.SCORE_UPDATED, session.invitation_id, now=now, session_id=session.pk)
    _show(card, now)
    logger.info("session %s is scored by %s", session.pk, by.pk)
    return submission


@transaction.atomic
def show_others(*, session: Session, by: User, now: datetime) -> None:
    """Show others' scores to a person who has not submitted one. A later score counts as not blind.

    Raises WrongState: the interview is under way, or has no rubric.
    """
    _criteria(session)
    _show(_own(session, by, now), now)
    logger.info("session %s: others' scores are shown to %s", session.pk, by.pk)


def note_judgement_shown(*, sessions: Iterable[Session], by: User, now: datetime) -> None:
    """Keep that others' decisions or notes were shown to a person. A first score after it is not blind."""
    times = {"begun_at": now, "kept_at": now, "judgement_seen_at": now}
    in_order = sorted(sessions, key=lambda session: session.pk)  # two pages of a person wait, and do not lock
    Scorecard.objects.bulk_create(
        [Scorecard(session=session, reviewer=by, **times) for session in in_order],
        update_conflicts=True,
        unique_fields=["session", "reviewer"],
        update_fields=["judgement_seen_at"],
    )


def _show(card: Scorecard, now: datetime) -> None:
    if card.others_seen_at is None:
        card.others_seen_at = now
        card.save(update_fields=["others_seen_at"])


def _own(session: Session, by: User, now: datetime) -> Scorecard:
    """Return the reviewer's scorecard, locked."""
    Scorecard.objects.get_or_create(session=session, reviewer=by, defaults={"begun_at": now, "kept_at": now})
    return Scorecard.objects.select_for_update().get(session=session, reviewer=by)


def _criteria(session: Session) -> list[RubricCriterion]:
    if session.status in states.OPEN_SESSION_STATUSES:
        raise WrongState(_("This interview is still under way. Score it when it has ended."))
    criteria = session.definition.criteria if session.definition else []
    if not criteria:
        raise WrongState(_("This interview has no rubric, so there is nothing to score by."))
    return criteria


def _checked(scores: Scores, criteria: list[RubricCriterion]) -> dict[str, list]:
    """Return what is kept of the scores: nothing for a criterion without level and note."""
    known = {str(criterion.id): criterion for criterion in criteria}
    kept = {}
    for key, (level, note) in scores.items():
        if key not in known:
            raise BadValue(_("The rubric has no such criterion. Load the page again."))
        if level is not None and not 0 <= level <= len(known[key].levels):
            raise BadValue(_("The criterion “%s” has no such level.") % known[key].name)
        text = note.replace("\0", "").replace("\r\n", "\n").strip()
        if len(text) > LONGEST_NOTE:
            raise BadValue(_("A note is longer than %d characters.") % LONGEST_NOTE)
        if level is not None or text:
            kept[key] = [level, text]
    return kept
