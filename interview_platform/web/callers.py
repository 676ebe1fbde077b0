"""Who may use the speech service, and as whom: API keys issued for it, staff who are signed in, or anybody.

The speech service itself knows callers only (`voice.callers`). Here they are found: `VoiceKey`,
`VoiceHeaderKey` and `StaffSession` for REST, `VoiceAccess` around its WebSockets.
"""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import Error as DatabaseError
from django.http import HttpRequest
from ninja.errors import AuthorizationError
from ninja.security import APIKeyHeader, HttpBearer
from ninja.security.apikey import APIKeyCookie

from accounts.access import is_unlimited, key_has_scope
from accounts.models import ApiKey, User
from voice.callers import Caller
from voice.infra.threads import in_thread
from voice.web import responses

KEY_KNOWN_FOR_S = 5.0
"""So long a revoked key may still open; looking it up for each sentence would cost a query each."""
MAX_KNOWN_KEYS = 1000
CLOSE_UNAUTHENTICATED = 4401


class WrongScope(Exception):
    """A valid key that was not issued for the speech service."""


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
    key = await in_thread(ApiKey.find)(secret)
    if key is None:
        _known.pop(digest, None)
        return None
    if not key_has_scope(key, ApiKey.Scope.VOICE):
        raise WrongScope
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


async def _for_rest(request: HttpRequest, secret: str | None) -> Caller | None:
    try:
        return await _admitted(request, await caller_of_key(secret) if secret else None)
    except WrongScope:
        raise AuthorizationError(
            message="This API key was not issued for the speech service. Make one that is."
        ) from None


async def _admitted(request: HttpRequest, caller: Caller | None) -> Caller | None:
    if caller:
        await responses.admit(request, caller)
    return caller


class VoiceKey(HttpBearer):
    """`Authorization: Bearer ipk_…`"""

    async def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        return await _for_rest(request, token)


class VoiceHeaderKey(APIKeyHeader):
    """`X-API-Key: ipk_…`"""

    param_name = "X-API-Key"

    async def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        return await _for_rest(request, key)


class StaffSession(APIKeyCookie):
    """A member of staff in the browser, or anybody where the service is public. Asks for the CSRF token."""

    param_name = settings.SESSION_COOKIE_NAME

    def _get_key(self, request: HttpRequest) -> str | None:
        # without a cookie there is no session that another site could ride on
        return super()._get_key(request) if self.param_name in request.COOKIES else None

    async def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        meta = request.META
        address = client_address(meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", ""))
        return await _admitted(request, caller_of_user(await request.auser()) or anybody(address))


class VoiceAccess:
    """ASGI middleware around WebSockets: `scope["caller"]` and `scope["is_let_in"]`, or no connection.

    The key comes in `Authorization: Bearer`, in `X-API-Key`, or, from browsers, which cannot set these, in
    `Sec-WebSocket-Protocol: voice, key.ipk_…`. Needs the session's user in the scope.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        caller = await self._caller(scope)
        if caller is None:
            await receive()  # websocket.connect; refused before it is open, the answer is HTTP 403
            await send({"type": "websocket.close", "code": CLOSE_UNAUTHENTICATED})
            return
        is_let_in = partial(self._is_let_in, scope, caller)
        await self.app(scope | {"caller": caller, "is_let_in": is_let_in}, receive, send)

    async def _is_let_in(self, scope: dict[str, Any], caller: Caller) -> bool:
        """Whether the caller would be let in again. A database that is away ends no connection."""
        try:
            found = await self._caller(scope)
        except DatabaseError:
            return True
        return found is not None and found.id == caller.id

    async def _caller(self, scope: dict[str, Any]) -> Caller | None:
        if secret := _secret(scope):
            try:
                return await caller_of_key(secret)
            except WrongScope:
                return None
        if caller := await in_thread(_caller_of_session)(scope.get("user")):
            return caller
        forwarded_for = _headers(scope).get(b"x-forwarded-for", "")
        return anybody(client_address((scope.get("client") or ("",))[0], forwarded_for))


class OriginUnlessKey:
    """ASGI middleware around WebSockets: a page of another site may not use the session of who looks at it.

    Programs send no Origin, and who sends a key needs no session.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app
        self._checked = AllowedHostsOriginValidator(app)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        is_page = any(name.lower() == b"origin" for name, _ in scope["headers"])
        app = self._checked if is_page and not _secret(scope) else self.app
        await app(scope, receive, send)


def _caller_of_session(user: User | AnonymousUser | None) -> Caller | None:
    """The caller that is signed in, as the database knows them now."""
    found = User.objects.filter(pk=user.pk).first() if user and user.pk else None
    return caller_of_user(found) if found else None


def _headers(scope: dict[str, Any]) -> dict[bytes, str]:
    """Of a header that came several times, the last."""
    return {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _secret(scope: dict[str, Any]) -> str:
    headers = _headers(scope)
    kind, _, token = headers.get(b"authorization", "").partition(" ")
    if kind.lower() == "bearer" and token:
        return token.strip()
    if key := headers.get(b"x-api-key"):
        return key.strip()
    offered = [part.removeprefix("key.") for part in scope.get("subprotocols", []) if part.startswith("key.")]
    return offered[0] if offered else ""
