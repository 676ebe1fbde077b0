"""Inviting candidates."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from interviews import states, tokens
from interviews.actions import outbox, sessions, versions
from interviews.actions.errors import BadValue, Taken, WrongState
from interviews.actions.transitions import move
from interviews.events import publishing
from interviews.models import EventType, Interview, Invitation, Session
from interviews.states import InterviewStatus
from voice.infra import sql

ROWS_AT_ONCE = 500
ROLLING_UPGRADE = timedelta(days=1)
"""The time in which all processes of the release before have ended."""


def invite(
    *,
    interview: Interview,
    candidate_name: str,
    candidate_email: str = "",
    expires_at: datetime,
    external_id: str = "",
    metadata: Mapping[str, str] | None = None,
    is_test: bool = False,
    by: object,
    now: datetime,
) -> Invitation:
    """Make a link for a candidate.

    external_id: by which another system knows it. metadata: texts that it keeps with it.
    is_test: what another system tries; it is counted nowhere and erased after a day, as a recruiter's trial.

    Raises:
        BadValue: the interview is not published, or a value is not allowed.
        Taken: another invitation of the organisation has this external id.
    """
    if interview.status != InterviewStatus.PUBLISHED:
        state = interview.get_status_display()
        raise BadValue(_("interview: it is %s. Publish it before inviting candidates.") % state)
    if interview.is_over(now):
        raise BadValue(_("interview: its deadline is over. Publish it with a later one, or none."))
    if expires_at <= now:
        raise BadValue(_("expires_at: it lies in the past."))
    if not candidate_name.strip():
        raise BadValue(_("candidate_name: it is empty."))
    invitation = Invitation(
        interview=interview,
        candidate_name=candidate_name.strip(),
        candidate_email=candidate_email,
        expires_at=expires_at,
        external_id=external_id,
        metadata=dict(metadata or {}),
        tried=interview.published if is_test else None,
        created_by=by if isinstance(by, User) else None,
        created_at=now,
    )
    invitation.token = token = tokens.new_token()
    if until := _plain_until(now):
        invitation.plain_token, invitation.plain_until = token, until
    with transaction.atomic():
        _check_external_id(invitation)
        invitation.save()
        outbox.tell(EventType.INVITATION_CREATED, invitation.pk, now=now)
    return invitation


def hold_external_ids(external_ids: Iterable[str], *, organisation_id: int) -> None:
    """Hold several external ids until the transaction's end, in one order for all: this avoids a deadlock."""
    for external_id in sorted(set(external_ids) - {""}):
        _hold(external_id, organisation_id)


def _hold(external_id: str, organisation_id: int) -> None:
    sql.hold(f"external id {organisation_id} {external_id}")


def _check_external_id(invitation: Invitation) -> None:
    """Refuse an external id that is in use, and hold it until the transaction's end. Raises Taken."""
    if not invitation.external_id:
        return
    organisation_id = invitation.interview.organisation_id
    _hold(invitation.external_id, organisation_id)
    others = Invitation.objects.filter(
        interview__organisation=organisation_id,
        external_id=invitation.external_id,
        tried__isnull=not invitation.is_test,
    )
    if others.exists():
        raise Taken(_("external_id: another invitation of your organisation has it."))


def try_out(*, interview: Interview, by: User, expires_at: datetime, now: datetime) -> Invitation:
    """Make a link with which a recruiter takes the interview as it is written; it is counted nowhere.

    Raises BadValue where a candidate could not finish it.
    """
    with transaction.atomic():
        version = versions.freeze_for_trial(interview=interview, by=by, now=now)
        invitation = Invitation(
            interview=interview,
            candidate_name=by.get_full_name() or by.username,
            expires_at=expires_at,
            created_by=by,
            created_at=now,
            tried=version,
        )
        invitation.token = tokens.new_token()
        invitation.save()
    return invitation


def _plain_until(now: datetime) -> datetime | None:
    """Until when processes of the release before may look for a link. None once their links are protected."""
    kept = Invitation.objects.filter(plain_token__isnull=False, plain_until__gt=now).order_by()
    return next(iter(kept.values_list("plain_until", flat=True)[:1]), None)


def protect_links(*, now: datetime) -> None:
    """Protect the links that the release before makes, and delete its plain tokens a day later (ADR 19)."""
    for invitation in Invitation.objects.filter(token_hash__isnull=True)[:ROWS_AT_ONCE]:
        _protect(invitation, invitation.token, plain_until=now + ROLLING_UPGRADE)
    due = Invitation.objects.filter(plain_token__isnull=False, plain_until__lte=now)
    ids = list(due.order_by().values_list("pk", flat=True)[:ROWS_AT_ONCE])
    Invitation.objects.filter(pk__in=ids).update(plain_token=None, plain_until=None)


def rotate_keys() -> Counter[str]:
    """Write every link anew with the newest of `TOKEN_KEYS`.

    Returns how many were `written`, how many were `current` already, and how many are `unreadable` because
    their key is missing.
    """
    counts: Counter[str] = Counter()
    last = UUID(int=0)
    while step := list(Invitation.objects.filter(pk__gt=last).order_by("pk")[:ROWS_AT_ONCE]):
        counts.update(map(_rotate, step))
        last = step[-1].pk
    return counts


def _rotate(invitation: Invitation) -> str:
    try:
        token = invitation.token
    except tokens.UnreadableToken:
        return "unreadable"
    if invitation.token_hash == tokens.digest(token):
        return "current"
    _protect(invitation, token)
    return "written"


def _protect(invitation: Invitation, token: str, **changes: object) -> None:
    invitation.token = token
    kept = {"token_hash": invitation.token_hash, "token_encrypted": invitation.token_encrypted}
    Invitation.objects.filter(pk=invitation.pk).update(**kept, **changes)


@transaction.atomic
def revoke(*, invitation: Invitation, by: object, now: datetime) -> None:
    """End a link and its connections. An interview under way is closed, and its recordings are kept."""
    # Lock the session's row first, in the same order as the finish of a session does: this avoids a deadlock.
    session = Session.objects.select_for_update().filter(invitation=invitation).first()
    move(invitation, states.REVOKE_INVITATION, by=by)
    if session is None:
        return
    if session.status in states.OPEN_SESSION_STATUSES:
        sessions.abandon(session=session, by=by, now=now)
    else:
        publishing.close_connections(session.pk)


@transaction.atomic
def extend(*, invitation: Invitation, expires_at: datetime, by: object, now: datetime) -> None:
    """Move the last day of a link. One that has expired before it was used works again.

    Raises:
        BadValue: the new last day lies in the past.
        WrongState: the interview is finished or was closed unfinished, or the link was revoked; or it has
            not begun, and its deadline is over.
    """
    if expires_at <= now:
        raise BadValue(_("expires_at: it lies in the past."))
    has_begun = Session.objects.select_for_update().filter(invitation=invitation).first() is not None
    locked = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if not has_begun and locked.is_too_late(now):
        raise WrongState(_("The interview's deadline is over: publish it with a later one, or none, first."))
    if locked.status == Invitation.Status.EXPIRED and not has_begun:
        move(locked, states.REOPEN_INVITATION, by=by, expires_at=expires_at)
    elif locked.status in (Invitation.Status.PENDING, Invitation.Status.STARTED):
        Invitation.objects.filter(pk=locked.pk).update(expires_at=expires_at)
    elif locked.status == Invitation.Status.EXPIRED:
        raise WrongState(_("The interview was closed unfinished: let the candidate begin again instead."))
    else:
        raise WrongState(f"invitation is {locked.status}: its last day cannot be moved.")
    invitation.status, invitation.expires_at = locked.status, expires_at


def expire_due(*, now: datetime) -> int:
    """Expire unused links that are due, and return how many. An interview under way may be finished."""
    count = 0
    for invitation in Invitation.objects.filter(status=Invitation.Status.PENDING, expires_at__lte=now)[:1000]:
        try:
            move(invitation, states.EXPIRE_INVITATION, by="expiry")
            count += 1
        except WrongState:
            continue  # the candidate began in the meantime
    return count
