"""Who may use the speech service, and as whom: API keys issued for it, staff who are signed in, or anybody.

The speech service itself knows callers only (`voice.callers`). Here they are found: `VoiceKey`,
`VoiceHeaderKey` and `StaffSession` for REST, `VoiceAccess` around its WebSockets.
"""

import time

from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from accounts.access import is_unlimited
from accounts.models import ApiKey, User
from accounts.rest_keys import find_key
from voice.callers import Caller
from voice.infra.threads import in_thread

KEY_KNOWN_FOR_S = 5.0
"""So long a revoked key may still open; looking it up for each sentence would cost a query each."""
MAX_KNOWN_KEYS = 1000


_known: dict[str, tuple[float, Caller]] = {}


async def caller_of_key(secret: str) -> Caller | None:
    """The caller with this API key; None if there is no such key.

    Raises:
        WrongScope: the key is for something else.
    """
    digest, now = ApiKey.digest_of(secret), time.monotonic()
    found = _known.get(digest)
    if found and found[0] > now:
        return found[1]
    key = await in_thread(find_key)(secret, ApiKey.Scope.VOICE)
    if key is None:
        _known.pop(digest, None)
        return None
    if len(_known) >= MAX_KNOWN_KEYS:
        _known.clear()
    caller = Caller(id=f"key:{key.pk}", owner=f"organisation:{key.organisation_id}", name=key.name)
    _known[digest] = (now + KEY_KNOWN_FOR_S, caller)
    return caller


def caller_of_user(user: User | AnonymousUser) -> Caller | None:
    """The caller that a signed-in member of staff is."""
    if not (user.is_active and user.is_staff):
        return None
    name = f"user:{user.pk}"
    return Caller(id=name, owner=name, name=str(user), is_operator=is_unlimited(user))


def anybody(address: str) -> Caller | None:
    """The caller that an unknown address is, where the service is public.

    Many people may share an address, so nothing belongs to it.
    """
    if not settings.VOICE["IS_PUBLIC"]:
        return None
    return Caller(id=f"address:{address}", owner="", name="")


def client_address(socket_address: str, forwarded_for: str) -> str:
    """Where a request comes from: behind a proxy, what that one saw, else the other end of the socket.

    forwarded_for: X-Forwarded-For. Only its last address is the proxy's word; clients may send the others.
    """
    last = forwarded_for.rpartition(",")[2].strip() if settings.BEHIND_PROXY else ""
    return last or socket_address
