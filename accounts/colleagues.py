"""Colleagues are invited by e-mail: a link that ends, and makes its holder a member of the organisation.

    row = colleagues.invite(organisation=ours, email="ada@example.com", role="recruiter", by=owner, now=now)

The link is in no table: a row keeps its keyed hash only. Sending again makes a new link and ends the old one.
"""

import logging
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.admin.models import ADDITION, CHANGE
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import salted_hmac

from accounts import admin_log
from accounts.models import ColleagueInvitation, Membership, Organisation, User

logger = logging.getLogger(__name__)

VALID_FOR = timedelta(days=7)
SALT = "accounts.colleagues"


class NotOpen(Exception):
    """The invitation was accepted or revoked, or its time is over."""


def can_send() -> bool:
    """Whether a mail server is configured."""
    return bool(settings.EMAIL_URL)


@transaction.atomic
def invite(
    *, organisation: Organisation, email: str, role: str, by: User, now: datetime
) -> ColleagueInvitation:
    """Invite a colleague. The row's `plain` is the link, which cannot be read again."""
    row = ColleagueInvitation(organisation=organisation, email=email.lower(), role=role, created_by=by)
    _renew(row, now)
    admin_log.record(by, [row], ADDITION, "Invited.")
    return row


@transaction.atomic
def invite_owner(*, organisation: Organisation, email: str, now: datetime) -> ColleagueInvitation:
    """Invite an owner on behalf of the operator, who has no account. An open invitation gets a new link.

    The row's `plain` is the link. It is not sent: the operator passes it on.
    """
    row, _made = ColleagueInvitation.objects.select_for_update(of=["self"]).get_or_create(
        organisation=organisation,
        email=email.lower(),
        accepted_at=None,
        revoked_at=None,
        defaults={"token_hash": secrets.token_bytes(32), "expires_at": now},
    )
    row.role = Membership.Role.OWNER
    _give_link(row, now)
    return row


@transaction.atomic
def resend(*, invitation: ColleagueInvitation, by: User, now: datetime) -> None:
    """Send a new link, valid from now on. Raises NotOpen after it was accepted or revoked."""
    row = _locked(invitation.pk)
    if row.accepted_at or row.revoked_at:
        raise NotOpen
    _renew(row, now)
    admin_log.record(by, [row], CHANGE, "Sent again.")


@transaction.atomic
def revoke(*, invitation: ColleagueInvitation, by: User, now: datetime) -> None:
    """End the link. Raises NotOpen after it was accepted or revoked."""
    row = _locked(invitation.pk)
    if row.accepted_at or row.revoked_at:
        raise NotOpen
    row.revoked_at = now
    row.save(update_fields=["revoked_at"])
    admin_log.record(by, [row], CHANGE, "Revoked.")


def hold(*, invitation: ColleagueInvitation, now: datetime) -> None:
    """Lock an open invitation until the transaction ends. Raises NotOpen."""
    if not _locked(invitation.pk).is_open(now):
        raise NotOpen


@transaction.atomic
def accept(*, invitation: ColleagueInvitation, user: User, now: datetime) -> None:
    """Make the user a member. Whoever is one already keeps the role. Raises NotOpen."""
    row = _locked(invitation.pk)
    if not row.is_open(now):
        raise NotOpen
    row.accepted_at, row.accepted_by = now, user
    row.save(update_fields=["accepted_at", "accepted_by"])
    Membership.objects.get_or_create(user=user, organisation=row.organisation, defaults={"role": row.role})
    admin_log.record(user, [row], CHANGE, "Accepted.")


def find(token: str, *, now: datetime) -> ColleagueInvitation | None:
    """Find the open invitation of a link."""
    hashes = [_hash(token, key) for key in settings.TOKEN_KEYS]
    row = ColleagueInvitation.objects.select_related("organisation").filter(token_hash__in=hashes).first()
    return row if row and row.is_open(now) else None


def _locked(pk: int) -> ColleagueInvitation:
    return (
        ColleagueInvitation.objects.select_for_update(of=["self"]).select_related("organisation").get(pk=pk)
    )


def _renew(row: ColleagueInvitation, now: datetime) -> None:
    """Give the row a new link, and send it after the commit."""
    _give_link(row, now)
    if can_send():
        transaction.on_commit(lambda: _send(row, row.plain, now))


def _give_link(row: ColleagueInvitation, now: datetime) -> None:
    token = secrets.token_urlsafe(24)
    row.token_hash = _hash(token, settings.TOKEN_KEYS[0])
    row.expires_at, row.sent_at = now + VALID_FOR, None
    row.save()
    row.plain = f"{settings.BASE_URL}{reverse('join', args=[token])}"


def _hash(token: str, key: str) -> bytes:
    return salted_hmac(SALT, token.encode(errors="replace"), secret=key, algorithm="sha256").digest()


def _send(row: ColleagueInvitation, link: str, now: datetime) -> None:
    """Send the link, in the language of whoever invites. If that fails the list says so."""
    context = {"invitation": row, "link": link}
    subject = " ".join(render_to_string("accounts/mail/colleague_subject.txt", context).split())
    text = render_to_string("accounts/mail/colleague.txt", context)
    try:
        send_mail(subject, text, None, [row.email])
    except OSError as error:  # smtplib's errors, too. They quote the address
        logger.warning("colleague invitation %s was not sent (%s)", row.pk, type(error).__name__)
    else:
        ColleagueInvitation.objects.filter(pk=row.pk).update(sent_at=now)
