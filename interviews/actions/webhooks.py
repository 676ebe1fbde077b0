"""Endpoints of other systems: made, changed, switched, and their secrets renewed."""

import base64
import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organisation, User
from interviews import tokens
from interviews.actions import outbox
from interviews.actions.errors import BadValue
from interviews.models import EventType, WebhookEndpoint

OVERLAP: Final = timedelta(days=1)
"""So long the secret before signs as well."""
SECRET_BYTES: Final = 32


def create(
    *,
    organisation: Organisation,
    url: str,
    events: Sequence[str],
    description: str = "",
    by: object,
    now: datetime,
) -> WebhookEndpoint:
    """Add an endpoint, with a new secret. Raises BadValue for an address or an event that is not allowed."""
    endpoint = WebhookEndpoint(
        organisation=organisation,
        url=_checked_url(url),
        events=_checked_events(events),
        description=description,
        secret_encrypted=tokens.encrypt(_new_secret()),
        created_by=by if isinstance(by, User) else None,
        created_at=now,
    )
    endpoint.save()
    return endpoint


def change(*, endpoint: WebhookEndpoint, url: str, events: Sequence[str], description: str) -> None:
    """Change where an endpoint is and what it is told. Raises BadValue as `create`."""
    endpoint.url, endpoint.events, endpoint.description = (
        _checked_url(url),
        _checked_events(events),
        description,
    )
    endpoint.save(update_fields=["url", "events", "description"])


@transaction.atomic
def delete(*, endpoint: WebhookEndpoint) -> None:
    """Delete an endpoint, with the log of what was delivered to it."""
    outbox.lock(WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk))
    endpoint.delete()


def switch(*, endpoint: WebhookEndpoint, is_on: bool) -> None:
    """Switch an endpoint on or off. What waited while it was off is delivered then."""
    endpoint.off_reason = "" if is_on else WebhookEndpoint.OffReason.BY_HAND
    endpoint.failing_since = None
    endpoint.save(update_fields=["off_reason", "failing_since"])
    if is_on:
        outbox.queue(endpoint.pk, organisation_id=endpoint.organisation_id)


def switch_all_off() -> int:
    """Switch every endpoint off, and return how many were on. Each is switched on again by hand."""
    return WebhookEndpoint.objects.filter(off_reason="").update(
        off_reason=WebhookEndpoint.OffReason.BY_HAND, failing_since=None
    )


def renew_secret(*, endpoint: WebhookEndpoint, now: datetime) -> None:
    """Make a new secret. For `OVERLAP` both sign, so a receiver accepts what comes with either."""
    endpoint.previous_secret_encrypted, endpoint.previous_until = endpoint.secret_encrypted, now + OVERLAP
    endpoint.secret_encrypted = tokens.encrypt(_new_secret())
    endpoint.save(update_fields=["secret_encrypted", "previous_secret_encrypted", "previous_until"])


def rotate_keys() -> Counter[str]:
    """Encrypt every secret anew with the newest of `TOKEN_KEYS`; see `invitations.rotate_keys`."""
    return Counter(map(_rotate, WebhookEndpoint.objects.iterator()))


def _rotate(endpoint: WebhookEndpoint) -> str:
    try:
        newest, *before = endpoint.secrets(datetime.min.replace(tzinfo=endpoint.created_at.tzinfo))
    except tokens.UnreadableToken:
        return "unreadable"
    WebhookEndpoint.objects.filter(pk=endpoint.pk, secret_encrypted=endpoint.secret_encrypted).update(
        secret_encrypted=tokens.encrypt(newest),
        previous_secret_encrypted=tokens.encrypt(before[0]) if before else None,
    )
    return "written"


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _checked_url(url: str) -> str:
    try:
        WebhookEndpoint._meta.get_field("url").clean(url, None)  # noqa: SLF001  a documented name
        parts = urlsplit(url)
    except (ValidationError, ValueError):
        raise BadValue(_("url: this is no address, as https://example.com/webhooks.")) from None
    if parts.username or parts.password:
        raise BadValue(_("url: leave out the user name and the password. The signature tells who sent it."))
    if parts.scheme != "https" and not settings.WEBHOOK_NETWORKS:
        raise BadValue(_("url: it has to begin with https."))
    return url


def _checked_events(events: Sequence[str]) -> list[str]:
    offered = [type_.value for type_ in EventType if type_ != EventType.TEST]
    if not events:
        raise BadValue(_("events: choose one or more."))
    if unknown := sorted(set(events) - set(offered)):
        raise BadValue(_("events: %s is not offered.") % ", ".join(unknown))
    return [type_ for type_ in offered if type_ in events]
