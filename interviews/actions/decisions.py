"""Decisions about candidates, each with its reason, and the e-mail with which a person tells one."""

import logging
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from interviews import states
from interviews.actions import mails, outbox
from interviews.actions.errors import BadValue, WrongState
from interviews.models import Decision, EventType, Message, Session

logger = logging.getLogger(__name__)

LONGEST_REASON = 2000


@transaction.atomic
def decide(
    *, session: Session, outcome: str, reason: str, after: int | None, by: User, now: datetime
) -> Decision:
    """Decide, or change the decision. What was decided before is kept.

    after: the id of the decision that the person saw; None if there was none.

    Raises:
        BadValue: no such outcome; no reason, or the one of the decision before.
        WrongState: the interview is under way, or another person has decided meanwhile.
    """
    session = Session.objects.select_for_update(of=("self",)).get(pk=session.pk)
    if session.status in states.OPEN_SESSION_STATUSES:
        raise WrongState(_("This interview is still under way. Decide when it has ended."))
    before = session.decisions.filter(is_current=True).first()
    if (before.pk if before else None) != after:
        raise WrongState(_("Another person has decided meanwhile. Read that first."))
    decision = Decision(
        session=session,
        outcome=outcome,
        reason=_checked(outcome, reason, before),
        decided_by=by,
        decided_at=now,
    )
    session.decisions.filter(is_current=True).update(is_current=False)
    decision.save()
    outbox.tell(EventType.DECISION_MADE, session.invitation_id, now=now, session_id=session.pk)
    logger.info("session %s is decided by %s", session.pk, by.pk)
    return decision


def _checked(outcome: str, reason: str, before: Decision | None) -> str:
    reason = reason.replace("\0", "").replace("\r\n", "\n").strip()
    if outcome not in Decision.Outcome.values:
        raise BadValue(_("outcome: choose advance, hold or reject."))
    if not reason:
        raise BadValue(_("reason: write why. Colleagues read it, the candidate does not."))
    if len(reason) > LONGEST_REASON:
        raise BadValue(_("reason: at most %d characters.") % LONGEST_REASON)
    if before is not None and reason == before.reason:
        raise BadValue(_("reason: a changed decision needs a reason of its own."))
    return reason


@transaction.atomic
def tell(*, session: Session, by: User, now: datetime) -> None:
    """Queue the e-mail that tells the candidate the decision.

    Raises:
        BadValue: the candidate has no address, or there is no mail server.
        WrongState: nothing is decided that a candidate is told, or it is told already.
    """
    session = Session.objects.select_for_update(of=("self",)).select_related("invitation").get(pk=session.pk)
    decision = session.decisions.filter(is_current=True).first()
    kind = mails.OF_OUTCOME.get(decision.outcome) if decision else None
    if decision is None or kind is None:
        raise WrongState(_("There is no decision yet that the candidate is told."))
    if told(decision):
        raise WrongState(_("The candidate is told already."))
    if not mails.ask(invitations=[session.invitation], kind=kind, by=by, now=now):
        raise BadValue(_("Not sent: the candidate has no e-mail address, or there is no mail server."))


def told(decision: Decision) -> Message | None:
    """Return the e-mail that tells or has told this decision, unless it failed or was dropped."""
    live = (Message.Status.WAITING, Message.Status.SENT, Message.Status.DELIVERED)
    return mails.of_decision(decision).filter(status__in=live).first()
