"""Entries of staff's WebSockets: one for each connection that shows candidates."""

from typing import Any

from django.utils import timezone

from accounts import access
from accounts.audit.recording import Actor, Entry, Kind, record
from accounts.models import User
from accounts.networks import client_address


def opened(scope: dict[str, Any], user: User) -> None:
    """Note that a person watches a list. Called before anything is told."""
    forwarded_for = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
    entry = Entry(
        Kind.LISTED,
        scope["path"],
        timezone.now(),
        actor=Actor.PERSON,
        person_id=user.pk,
        address=client_address((scope.get("client") or ("",))[0], forwarded_for),
    )
    record(entry, organisations=access.organisation_ids(user) or [None])
