"""Entries of sign-ins, sign-outs and refused proofs, and of changes to how somebody signs in."""

from typing import Any, Final

from allauth.mfa import signals as factors
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import Signal, receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts.audit.recording import Actor, Entry, Kind, Outcome, record
from accounts.models import BrowserSession, Membership, User
from accounts.networks import address_of
from accounts.sign_on.signals import roles_changed, session_ended

OF_FACTORS: Final = {
    factors.authenticator_added: "second factor added",
    factors.authenticator_removed: "second factor removed",
    factors.authenticator_reset: "recovery codes renewed",
}
"""What the audit calls a change of somebody's factors, by the signal of it."""


@receiver(user_logged_in)
def signed_in(user: User, request: HttpRequest, **kwargs: object) -> None:
    _record(Kind.SIGNED_IN, user.pk, request)


@receiver(user_logged_out)
def signed_out(user: User | None, request: HttpRequest, **kwargs: object) -> None:
    if user is not None:
        _record(Kind.SIGNED_OUT, user.pk, request)


@receiver(user_login_failed)
def refused(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: object) -> None:
    """Note whose password it was to be. What was typed is not kept: people type passwords there, too."""
    name = str(credentials.get("username", ""))
    person_id = User.objects.filter(username=name).values_list("pk", flat=True).first()
    _record(Kind.SIGNED_IN, person_id, request, actor=Actor.UNKNOWN, outcome=Outcome.REFUSED)


@receiver(list(OF_FACTORS))
def factor_changed(signal: Signal, user: User, request: HttpRequest, **kwargs: object) -> None:
    """Note who changed it, which may be an owner, and in `row` whose it is. Their organisations see it."""
    by = request.user.pk or user.pk  # a first factor is set up before anybody is signed in
    _record(Kind.CHANGED, by, request, door=OF_FACTORS[signal], row=str(user.pk), of=user.pk)


@receiver(session_ended)
def ended(session: BrowserSession, by: User | None, **kwargs: object) -> None:
    """Note who ended a session. by=None: the platform, because the organisation wants a second factor."""
    actor, whose = Actor.PERSON if by else Actor.PLATFORM, session.user_id
    by_id = by.pk if by else None
    _record(Kind.CHANGED, by_id, None, actor=actor, door="session ended", row=str(whose), of=whose)


@receiver(roles_changed)
def roles_given(user: User, before: dict[int, str], after: dict[int, str], **kwargs: object) -> None:
    """Note what the identity provider changed, also where the person has no role any more."""
    entry = Entry(Kind.CHANGED, "roles by the provider", timezone.now(), row=str(user.pk))
    touched = {of for of, _role in before.items() ^ after.items()}
    record(entry, organisations=sorted(touched))


def _record(
    kind: str,
    person_id: int | None,
    request: HttpRequest | None,
    *,
    door: str = "sign-in",
    of: int | None = None,
    **more: Any,
) -> None:
    """of: the person in whose organisations the entry stands; None: the one who did it."""
    address = address_of(request) if request is not None else ""
    said = {"actor": Actor.PERSON, "person_id": person_id, "address": address, **more}
    concerned = of or person_id
    theirs = Membership.objects.filter(user=concerned).values_list("organisation_id", flat=True)
    record(Entry(kind, door, timezone.now(), **said), organisations=list(theirs) if concerned else [])
