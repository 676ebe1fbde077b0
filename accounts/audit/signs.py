"""Entries of sign-ins, sign-outs and refused passwords, in each organisation of the person."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts.audit.recording import Actor, Entry, Kind, Outcome, record
from accounts.models import Membership, User
from accounts.networks import address_of


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


def _record(kind: str, person_id: int | None, request: HttpRequest | None, **more: Any) -> None:
    address = address_of(request) if request is not None else ""
    said = {"actor": Actor.PERSON, "person_id": person_id, "address": address, **more}
    mine = Membership.objects.filter(user=person_id).values_list("organisation_id", flat=True)
    record(Entry(kind, "sign-in", timezone.now(), **said), organisations=list(mine) if person_id else [])
