"""Callers of the speech service: API keys with its scopes, signed-in members of organisations, or the public.

The speech service itself knows callers only (`voice.callers`). This module finds them, for `VoiceKey`,
`VoiceHeaderKey` and `StaffSession` in REST and `VoiceAccess` around WebSockets.
"""

import asyncio
import time

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.access import has_any, is_unlimited
from accounts.models import ApiKey, User
from accounts.rest_keys import check
from voice.callers import Caller
from voice.infra.threads import in_thread

KEY_KNOWN_FOR_S = 0.5
"""A key that has ended may work for this time; without the cache each sentence would cost a query. Open
connections ask each second (`socket_access.KEY_ASKED_EACH_S`), so all is over within 2 s."""
MAX_KNOWN_KEYS = 1000


_known: dict[str, tuple[float, ApiKey]] = {}
_readings: dict[str, asyncio.Future[ApiKey | None]] = {}
"""Readings under way, by the key's digest."""


async def caller_of_key(secret: str, *, scope: str | None, address: str) -> Caller | None:
    """Return the caller with this API key; None if there is no such key.

    scope: what the operation or the socket needs; None: see `rest_keys.check`.

    Raises:
        KeyRefused: the key is not for this.
    """
    key = await _known_key(secret)
    if key is None:
        return None
    check(key, scope=scope, address=address)
    return Caller(id=f"key:{key.pk}", owner=f"organisation:{key.organisation_id}", name=key.name)


async def _known_key(secret: str) -> ApiKey | None:
    digest, now = ApiKey.digest_of(secret), time.monotonic()
    found = _known.get(digest)
    if found and found[0] > now:
        return found[1]
    key = await _read_once(digest, secret)
    if key is None:
        _known.pop(digest, None)
        return None
    if len(_known) >= MAX_KNOWN_KEYS:
        _known.clear()
    _known[digest] = (now + KEY_KNOWN_FOR_S, key)
    return key


async def _read_once(digest: str, secret: str) -> ApiKey | None:
    """Read a key. All who ask meanwhile share the answer: while PostgreSQL hangs, it holds up one thread."""
    reading = _readings.get(digest)
    if reading is None or reading.get_loop() is not asyncio.get_running_loop():
        reading = asyncio.ensure_future(in_thread(_read)(secret))
        _readings[digest] = reading
        reading.add_done_callback(lambda _: _readings.pop(digest, None))
    return await asyncio.shield(reading)


def _read(secret: str) -> ApiKey | None:
    key = ApiKey.find(secret)
    if key is not None:
        key.note_use(timezone.now())
    return key


def caller_of_user(user: User | AnonymousUser) -> Caller | None:
    """Return the caller for a signed-in member of an organisation, or superuser; None for other users."""
    if not (user.is_active and user.is_staff and has_any(user)):
        return None
    return Caller(id=user_id(user.pk), owner=user_id(user.pk), name=str(user), is_operator=is_unlimited(user))


def user_id(pk: object) -> str:
    """Return the id of the caller for the user with this primary key."""
    return f"user:{pk}"


def anybody(address: str) -> Caller | None:
    """Return a caller for an IP address if the service is public, else None.

    Many people may share an address, so it owns nothing.
    """
    if not settings.VOICE["IS_PUBLIC"]:
        return None
    return Caller(id=f"address:{address}", owner="", name="")
