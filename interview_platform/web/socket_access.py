"""Keys and sessions of the speech service's WebSockets."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from channels.security.websocket import AllowedHostsOriginValidator
from django.contrib.auth.models import AnonymousUser
from django.db import Error as DatabaseError

from accounts.models import User
from accounts.networks import client_address
from accounts.rest_keys import WrongScope
from interview_platform.web.callers import anybody, caller_of_key, caller_of_user
from voice.callers import Caller
from voice.infra.threads import in_thread

CLOSE_UNAUTHENTICATED = 4401


class VoiceAccess:
    """ASGI middleware that adds `scope["caller"]` and `scope["is_authorised"]`, or refuses the WebSocket.

    The key is in `Authorization: Bearer`, in `X-API-Key`, or in `Sec-WebSocket-Protocol: voice, key.ipk_…`
    for browsers, which cannot set these headers. The scope must contain the session's user.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        caller = await self._caller(scope)
        if caller is None:
            await receive()  # websocket.connect; a refusal before it is open becomes HTTP 403
            await send({"type": "websocket.close", "code": CLOSE_UNAUTHENTICATED})
            return
        is_authorised = partial(self._is_authorised, scope, caller)
        await self.app(scope | {"caller": caller, "is_authorised": is_authorised}, receive, send)

    async def _is_authorised(self, scope: dict[str, Any], caller: Caller) -> bool:
        """Whether the caller would be admitted again. A database failure ends no connection."""
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
    """ASGI middleware that stops pages of other sites from using a visitor's session for a WebSocket.

    Programs send no Origin, and a request with a key needs no session.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app
        self._checked = AllowedHostsOriginValidator(app)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        is_page = any(name.lower() == b"origin" for name, _ in scope["headers"])
        app = self._checked if is_page and not _secret(scope) else self.app
        await app(scope, receive, send)


def _caller_of_session(user: User | AnonymousUser | None) -> Caller | None:
    """Return the caller of the signed-in user, read again from the database."""
    found = User.objects.filter(pk=user.pk).first() if user and user.pk else None
    return caller_of_user(found) if found else None


def _headers(scope: dict[str, Any]) -> dict[bytes, str]:
    """Return the headers by name; of a repeated header the last value counts."""
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
