"""Inviting the candidates of a spreadsheet: checked first, then invited by a job that can be resumed."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from interviews import tokens
from interviews.actions import mails
from interviews.actions.errors import BadValue, OnHold, WrongState
from interviews.models import Interview, Invitation, InvitationBatch, LegalHold, Message
from interviews.queries import retention
from interviews.states import InterviewStatus
from voice.queues import jobs

JOB = "interviews.jobs.invite_batch"
AT_ONCE = 200
"""Candidates of one transaction: what is lost when a worker dies is done again."""
PROBLEMS_KEPT = timedelta(days=7)
USABLE = (Invitation.Status.PENDING, Invitation.Status.STARTED, Invitation.Status.FINISHED)


class Candidate(NamedTuple):
    """A good row. line: as the spreadsheet counts it, from 1. expires_on: None, or the last day."""

    line: int
    name: str
    email: str
    expires_on: date | None = None


class Problem(NamedTuple):
    """A row that cannot be invited, and why. value: what stands there."""

    line: int
    value: str
    reason: str


def check(
    *,
    interview: Interview,
    file_name: str,
    candidates: Sequence[Candidate],
    problems: Sequence[Problem],
    expires_at: datetime,
    is_mailed: bool = False,
    by: User,
    now: datetime,
) -> InvitationBatch:
    """Keep the good rows of a spreadsheet until they are confirmed.

    is_mailed: whether those with an address get an e-mail when they are invited.

    Raises:
        BadValue: the interview is not published, its deadline is over, or the links would have expired.
    """
    if interview.status != InterviewStatus.PUBLISHED:
        raise BadValue(_("interview: publish it before inviting candidates."))
    if interview.is_over(now):
        raise BadValue(_("interview: its deadline is over. Publish it with a later one, or none."))
    if expires_at <= now:
        raise BadValue(_("expires_at: it lies in the past."))
    invited = _invited(interview, [each.email for each in candidates if each.email])
    good = [each for each in candidates if each.email.casefold() not in invited]
    again = [
        Problem(each.line, f"{each.name} · {each.email}", _("This address is invited already."))
        for each in candidates
        if each.email.casefold() in invited
    ]
    return InvitationBatch.objects.create(
        interview=interview,
        file_name=file_name[:200],
        candidates=[
            (each.line, each.name, each.email, each.expires_on and each.expires_on.isoformat())
            for each in good
        ],
        problems=sorted([*problems, *again]),
        total=len(good),
        expires_at=expires_at,
        is_mailed=is_mailed,
        created_by=by,
        created_at=now,
    )


def _invited(interview: Interview, addresses: Sequence[str]) -> set[str]:
    """Return those of the addresses, in lower case, that have a link to the interview which works."""
    rows = Invitation.objects.counted().filter(interview=interview, status__in=USABLE)
    found = rows.exclude(candidate_email="").values_list("candidate_email", flat=True)
    wanted = {address.casefold() for address in addresses}
    return {address.casefold() for address in found.iterator()} & wanted


def start(*, batch: InvitationBatch, by: object, now: datetime) -> None:
    """Invite the good rows, in a job.

    Raises WrongState if that was asked for before, or the interview's deadline is over since the check.
    """
    if batch.interview.is_over(now):
        raise WrongState(_("The interview's deadline is over. Publish it with a later one, or none, first."))
    checked = InvitationBatch.objects.filter(pk=batch.pk, status=InvitationBatch.Status.CHECKED)
    if not checked.update(status=InvitationBatch.Status.RUNNING):
        raise WrongState(_("These candidates are being invited already."))
    queue(batch.pk)


def queue(batch_id: UUID) -> None:
    """Queue the job that invites what is left of a batch."""
    jobs.enqueue("default", JOB, str(batch_id), job_id=job_id(batch_id))


def job_id(batch_id: object) -> str:
    """Return the id of the one job that invites the candidates of a batch."""
    return f"invite-batch-{batch_id}"


def run(*, batch_id: UUID, now: datetime) -> None:
    """Invite what is left of a batch, some candidates at a time. It may be called again after a crash."""
    while _invite_some(batch_id, now):
        pass


@transaction.atomic
def _invite_some(batch_id: UUID, now: datetime) -> bool:
    """Return whether some are left."""
    running = InvitationBatch.objects.select_for_update(of=("self",)).select_related(
        "interview", "created_by"
    )
    batch = running.filter(pk=batch_id, status=InvitationBatch.Status.RUNNING).first()
    if batch is None:
        return False
    some, batch.candidates = batch.candidates[:AT_ONCE], batch.candidates[AT_ONCE:]
    made = Invitation.objects.bulk_create(_invitation(batch, row, now) for row in some)
    if batch.is_mailed:
        mails.ask(invitations=made, kind=Message.Kind.INVITATION, by=batch.created_by, now=now)
    if not batch.candidates:
        batch.status = InvitationBatch.Status.DONE
    batch.save(update_fields=["candidates", "status"])
    return bool(batch.candidates)


def _invitation(batch: InvitationBatch, row: Sequence[Any], now: datetime) -> Invitation:
    _line, name, email, day = row
    invitation = Invitation(
        interview=batch.interview,
        batch=batch,
        candidate_name=name,
        candidate_email=email,
        expires_at=_end_of(day) if day else batch.expires_at,
        created_by=batch.created_by,
        created_at=now,
    )
    invitation.token = tokens.new_token()
    return invitation


def _end_of(day: str) -> datetime:
    return timezone.make_aware(datetime.combine(date.fromisoformat(day), time(23, 59, 59)))


@transaction.atomic
def undo(*, batch: InvitationBatch, by: object) -> int:
    """Take all links of a batch back, and return how many. Possible until the first candidate begins.

    Raises:
        WrongState: somebody has begun, or it was undone before.
        OnHold: a legal hold keeps one of the candidates.
    """
    locked = InvitationBatch.objects.select_for_update().get(pk=batch.pk)
    if locked.status not in (InvitationBatch.Status.RUNNING, InvitationBatch.Status.DONE):
        raise WrongState(_("Nobody of this spreadsheet is invited."))
    count = _lock_all(locked)
    rows = Invitation.objects.filter(batch=locked)
    if rows.exclude(status=Invitation.Status.PENDING).exists() or rows.exclude(set_aside=None).exists():
        raise WrongState(_("Somebody has begun the interview. Revoke the other links one by one."))
    if rows.filter(retention.is_held()).exists():
        raise OnHold(_("A legal hold keeps this candidate from being erased, until it is ended."))
    LegalHold.objects.filter(invitation__batch=locked).delete()  # they have ended, and protect the rows
    rows.delete()
    locked.status, locked.candidates, locked.problems = InvitationBatch.Status.UNDONE, [], []
    locked.save(update_fields=["status", "candidates", "problems"])
    return count


def _lock_all(batch: InvitationBatch) -> int:
    """Lock all links of a batch, and return how many: no candidate begins, and no hold is placed on one."""
    rows = Invitation.objects.select_for_update().filter(batch=batch).order_by("pk")
    return len(rows.values_list("pk", flat=True))


def sweep(*, now: datetime) -> None:
    """Queue batches that a dead worker left, and forget rows that nobody will invite."""
    for batch_id in InvitationBatch.objects.filter(status=InvitationBatch.Status.RUNNING).values_list(
        "pk", flat=True
    ):
        queue(batch_id)
    old = InvitationBatch.objects.filter(created_at__lte=now - PROBLEMS_KEPT)
    old.filter(status=InvitationBatch.Status.CHECKED).delete()
    old.exclude(problems=[]).update(problems=[])


def refusing(invitation: Invitation) -> QuerySet[InvitationBatch]:
    """Return the organisation's spreadsheets with refused rows that name the candidate's address."""
    if not invitation.candidate_email:
        return InvitationBatch.objects.none()
    organisation = invitation.interview.organisation_id
    rows = InvitationBatch.objects.filter(interview__organisation=organisation).exclude(problems=[])
    refused = rows.annotate(refused=Cast("problems", TextField()))
    return refused.filter(refused__icontains=invitation.candidate_email)


def forget(invitation: Invitation) -> None:
    """Drop the refused rows that name the candidate's address. What is to be invited is not touched."""
    address = invitation.candidate_email.casefold()
    for batch in refusing(invitation).select_for_update(of=("self",)):
        batch.problems = [row for row in batch.problems if address not in str(row[1]).casefold()]
        batch.save(update_fields=["problems"])
