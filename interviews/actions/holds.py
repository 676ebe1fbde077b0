"""Legal holds: while one lasts, nothing of a candidate is erased (ADR 54).

    holds.place(interview=interview, invitation=invitation, reason="File 12/2026", by=user, now=now)
    holds.end(hold=hold, by=user, now=now)    # what was asked for meanwhile is erased by the clock

Candidates who ask for their erasure meanwhile wait (`erasure.ask`).
"""

from datetime import datetime

from django.contrib.admin.models import ADDITION, CHANGE
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import admin_log
from accounts.models import User
from interviews.actions.errors import BadValue, WrongState
from interviews.models import Interview, Invitation, LegalHold

LONGEST_REASON = 500


def place(
    *,
    interview: Interview,
    invitation: Invitation | None = None,
    reason: str,
    by: User,
    now: datetime,
) -> LegalHold:
    """Keep a candidate of an interview, or all of them, from being erased. Return the hold.

    Raises:
        BadValue: no reason, or one that is too long.
        WrongState: there is one already, or the candidate was erased meanwhile.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise BadValue(f"reason: between 1 and {LONGEST_REASON} characters are needed.")
    with transaction.atomic():
        # An erasure under way has this lock until its end. Then the candidate is not there any more.
        if invitation is not None and not _lock(invitation):
            raise WrongState(_("This candidate was erased meanwhile."))
        hold = LegalHold(
            interview=interview, invitation=invitation, reason=reason, placed_by=by, placed_at=now
        )
        try:
            with transaction.atomic():
                hold.save(force_insert=True)
        except IntegrityError:
            raise WrongState(_("There is a hold already.")) from None
        _note(hold, by, ADDITION, "Placed a legal hold.")
    return hold


def _lock(invitation: Invitation) -> bool:
    return Invitation.objects.select_for_update(of=("self",)).filter(pk=invitation.pk).exists()


@transaction.atomic
def end(*, hold: LegalHold, by: User, now: datetime) -> None:
    """End a hold. The clock erases what it kept back, within ten minutes. Raises WrongState: it ended."""
    if not LegalHold.objects.open().filter(pk=hold.pk).update(ended_at=now, ended_by=by):
        raise WrongState(_("This hold has ended."))
    _note(hold, by, CHANGE, "Ended the legal hold.")


def _note(hold: LegalHold, by: User, flag: int, message: str) -> None:
    """Write an entry about the hold, and one about what it is of."""
    about = Invitation(pk=hold.invitation_id) if hold.invitation_id else Interview(pk=hold.interview_id)
    admin_log.record(by, [hold, about], flag, message)
