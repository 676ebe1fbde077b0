"""The second factor: a code of an app (TOTP), a recovery code, or a passkey (`passkeys`).

django-allauth keeps them (`Authenticator`) and computes the codes. Whether one is asked for is decided here.
A code works once, in whatever process it is typed: the row remembers the time step of the last one.
Source: RFC 6238, section 5.2.
"""

from typing import Any

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa import signals
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings
from django.contrib.admin.models import CHANGE
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import admin_log
from accounts.models import BrowserSession, Membership, Organisation, User
from accounts.sign_on import sessions

Type = Authenticator.Type
FACTORS = (Type.TOTP, Type.WEBAUTHN)
"""What can be asked for. Recovery codes only replace one of them."""
NEW_SECRET = "second_factor_to_set_up"  # noqa: S105  its name in the session, where its user stands as well
LAST_STEP = "last_step"


def has_any(user: User) -> bool:
    """Whether the user set up a second factor."""
    return Authenticator.objects.filter(user=user, type__in=FACTORS).exists()


def is_required(user: User) -> bool:
    """Whether the deployment, or an organisation of the user, wants a second factor."""
    wanting = Membership.objects.filter(user=user, organisation__is_second_factor_required=True)
    return settings.SECOND_FACTOR_REQUIRED or wanting.exists()


def of_type(user: User, kind: str) -> Authenticator | None:
    """Return the user's authenticator app, or recovery codes."""
    return Authenticator.objects.filter(user=user, type=kind).first()


def new_secret(request: HttpRequest, user: User) -> str:
    """Return the secret that the user sets up in this session, encrypted there as it will be in its table.

    The browser may have been on the way as another user before: each one has a secret of their own.
    """
    adapter, kept = get_adapter(), request.session.get(NEW_SECRET, {})
    if kept.get("user") != user.pk:
        kept = {"user": user.pk, "secret": adapter.encrypt(totp.generate_totp_secret())}
        request.session[NEW_SECRET] = kept
    return adapter.decrypt(kept["secret"])


def set_up(*, request: HttpRequest, user: User, code: str) -> bool:
    """Turn the app on whose secret is `new_secret`, if it shows this code; say whether it did."""
    secret = new_secret(request, user)
    step = _step_of(secret, code, after=0)
    if step is None:
        return False
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if of_type(user, Type.TOTP):
            return False
        row = Authenticator.objects.create(
            user=user, type=Type.TOTP, data={"secret": get_adapter().encrypt(secret), LAST_STEP: step}
        )
        added(request=request, user=user, row=row)
    del request.session[NEW_SECRET]
    return True


def added(*, request: HttpRequest, user: User, row: Authenticator) -> None:
    """Note a new factor, and give its owner recovery codes."""
    RecoveryCodes.activate(user)
    request.session[sessions.SECOND_FACTOR] = True
    admin_log.record(user, [user], CHANGE, "Second factor added.")
    signals.authenticator_added.send(Authenticator, request=request, user=user, authenticator=row)


def check(*, request: HttpRequest, user: User, code: str) -> bool:
    """Whether this is a code of the app that was not used yet, or a recovery code; it is used by that."""
    used = _use_totp(user, code) or _use_recovery_code(user, code)
    if used is None:
        signals.authentication_failed.send(Authenticator, request=request, user=user, authenticator=None)
        return False
    note_use(request=request, user=user, row=used)
    return True


def note_use(*, request: HttpRequest, user: User, row: Authenticator, **how: bool) -> None:
    """Note that a factor was used."""
    row.record_usage()
    signals.authenticator_used.send(Authenticator, request=request, user=user, authenticator=row, **how)


@transaction.atomic
def _use_totp(user: User, code: str) -> Authenticator | None:
    row = Authenticator.objects.select_for_update().filter(user=user, type=Type.TOTP).first()
    if row is None:
        return None
    step = _step_of(get_adapter().decrypt(row.data["secret"]), code, after=row.data.get(LAST_STEP, 0))
    if step is None:
        return None
    row.data[LAST_STEP] = step
    row.save(update_fields=["data"])
    return row


def _step_of(secret: str, code: str, *, after: int) -> int | None:
    """Return the time step near now, later than `after`, in which the app shows this code; None: none."""
    steps = [step for step in totp.yield_hotp_counters_from_time() if step > after]
    shown = {step: totp.format_hotp_value(totp.hotp_value(secret, step)) for step in steps}
    return next((step for step in steps if compare_user_code(actual=code, expected=shown[step])), None)


def _use_recovery_code(user: User, code: str) -> Authenticator | None:
    row = of_type(user, Type.RECOVERY_CODES)
    if row is None:
        return None
    codes = RecoveryCodes(row)
    return codes.instance if codes.validate_code(code) else None


def recovery_codes(user: User) -> list[str]:
    """Return the codes that were not used yet."""
    row = of_type(user, Type.RECOVERY_CODES)
    return RecoveryCodes(row).get_unused_codes() if row else []


@transaction.atomic
def renew_recovery_codes(*, request: HttpRequest, user: User) -> None:
    """Replace all recovery codes."""
    Authenticator.objects.filter(user=user, type=Type.RECOVERY_CODES).delete()
    row = RecoveryCodes.activate(user).instance
    admin_log.record(user, [user], CHANGE, "Recovery codes renewed.")
    signals.authenticator_reset.send(Authenticator, request=request, user=user, authenticator=row)


def may_remove(user: User, row: Authenticator) -> bool:
    """Whether a factor may go: it is not the last one of somebody who must have one."""
    others = Authenticator.objects.filter(user=user, type__in=FACTORS).exclude(pk=row.pk)
    return others.exists() or not is_required(user)


@transaction.atomic
def remove(*, request: HttpRequest, user: User, row: Authenticator, by: Any) -> bool:
    """Remove a factor if it may go; say whether it went. With the last one the recovery codes go as well."""
    User.objects.select_for_update().get(pk=user.pk)
    if not may_remove(user, row):  # asked again: another request may have removed the other one
        return False
    _remove(request=request, user=user, row=row, by=by)
    return True


@transaction.atomic
def remove_all(*, request: HttpRequest, user: User, by: Any) -> None:
    """Remove every factor of somebody who lost them, and end the sessions."""
    User.objects.select_for_update().get(pk=user.pk)
    for row in Authenticator.objects.filter(user=user, type__in=FACTORS):
        _remove(request=request, user=user, row=row, by=by)
    sessions.end(sessions.of_user(user), by=by)


def _remove(*, request: HttpRequest, user: User, row: Authenticator, by: Any) -> None:
    row.delete()
    if not has_any(user):
        Authenticator.objects.filter(user=user).delete()
    admin_log.record(by, [user], CHANGE, "Second factor removed.")
    signals.authenticator_removed.send(Authenticator, request=request, user=user, authenticator=row)


def note_requirement(organisation: Organisation, *, by: Any) -> int:
    """End sessions that began without a second factor, of members of an organisation that wants one."""
    rows = BrowserSession.objects.filter(user__memberships__organisation=organisation)
    return sessions.end_without_second_factor(rows, by=by)


@receiver(post_save, sender=Membership)
def _note_membership(instance: Membership, **signal: Any) -> None:
    """A new member of an organisation that wants a second factor signs in again, with one."""
    if instance.organisation.is_second_factor_required:
        sessions.end_without_second_factor(sessions.of_user(instance.user), by=None)
