"""Keys and sessions of the speech service's WebSockets, and sessions of staff's.

Each connection asks again regularly whether its caller would still be let in, and at once when something of a
user changed: signed out, password, roles, `is_active`.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import get_language_from_request

from accounts.models import BrowserSession, Membership, User
from accounts.networks import client_address, network_of
from accounts.profile import CHOSEN
from accounts.rest_keys import KeyRefused, WrongNetwork
from accounts.sign_on.sessions import SessionStore
from interview_platform.web import staff_language
from interview_platform.web.callers import anybody, caller_of_key, caller_of_user, user_id
from voice.callers import Caller, group_of
from voice.capacity import rate_limits
from voice.errors import RateLimited
from voice.infra import channel_layer
from voice.infra.threads import in_thread

CLOSE_UNAUTHENTICATED = 4401
KEY_ASKED_EACH_S = 1.0
"""How often an open connection asks whether its key has ended: for whatever reason, in whatever process."""


class VoiceAccess:
    """ASGI middleware that adds `scope["caller"]`, `scope["is_authorised"]` and how often to ask, or refuses.

    needs: the scope that the socket declares.

    The key is in `Authorization: Bearer`, in `X-API-Key`, or in `Sec-WebSocket-Protocol: voice, key.ipk_…`
    for browsers, which cannot set these headers. The scope must contain the cookies.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], *, needs: str) -> None:
        self.app = app
        self._needs = needs

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        caller = await self._caller_or_none(scope)
        if caller is None:
            await receive()  # websocket.connect; a refusal before it is open becomes HTTP 403
            await send({"type": "websocket.close", "code": CLOSE_UNAUTHENTICATED})
            return
        added: dict[str, Any] = {
            "caller": caller,
            "is_authorised": partial(self._is_authorised, scope, caller),
        }
        if _secret(scope):
            added["is_authorised_for_s"] = KEY_ASKED_EACH_S
        await self.app(scope | added, receive, send)

    async def _is_authorised(self, scope: dict[str, Any], caller: Caller) -> bool:
        """Whether the caller would be admitted again. A database failure ends no connection."""
        try:
            found = await self._caller_or_none(scope)
        except DatabaseError:
            return True
        return found is not None and found.id == caller.id

    async def _caller_or_none(self, scope: dict[str, Any]) -> Caller | None:
        try:
            return await caller_of(scope, needs=self._needs)
        except KeyRefused:
            return None


async def caller_of(scope: dict[str, Any], *, needs: str | None) -> Caller | None:
    """Return the caller of a connection: of its key, else of its session, else the public; None for nobody.

    scope: with the cookies.
    needs: the scope that its key must have; None: any.

    Raises:
        KeyRefused: the key is not for this.
    """
    if secret := _secret(scope):
        return await _caller_of_key(scope, secret, needs)
    session_key = scope["cookies"].get(settings.SESSION_COOKIE_NAME)
    if session_key and (caller := await in_thread(_caller_of_session)(session_key)):
        return caller
    return anybody(_address(scope))


async def _caller_of_key(scope: dict[str, Any], secret: str, needs: str | None) -> Caller | None:
    address = _address(scope)
    try:
        caller = await caller_of_key(secret, scope=needs, address=address)
    except WrongNetwork:
        await _count_wrong_key(address)
        raise
    if caller is None:
        await _count_wrong_key(address)
    return caller


async def _count_wrong_key(address: str) -> None:
    with suppress(RateLimited):  # refused either way
        await rate_limits.count_wrong_key(network_of(address))


class StaffAccess:
    """ASGI middleware of staff's sockets: adds `scope["caller"]` and `scope["signed_in"]`, or refuses.

    `signed_in` is a context for a thread: the member of staff as they are now, in their language and time
    zone, working in the chosen organisation; None once the session, the user or the last role has ended. No
    key opens these sockets. The scope must contain the cookies.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        signed_in = partial(_signed_in, scope)
        caller = await in_thread(_caller_who_is)(signed_in)
        if caller is None:
            await refuse(scope, receive, send)
            return
        await self.app(scope | {"caller": caller, "signed_in": signed_in}, receive, send)


@contextmanager
def _signed_in(scope: dict[str, Any]) -> Iterator[User | None]:
    user = _user_of_session(scope["cookies"].get(settings.SESSION_COOKIE_NAME, ""))
    if user is None or caller_of_user(user) is None:
        yield None
        return
    browser_asks = get_language_from_request(_request(scope))
    with translation.override(browser_asks), staff_language.as_wanted(user):
        yield user


def _caller_who_is(signed_in: Callable[[], Any]) -> Caller | None:
    with signed_in() as user:
        return None if user is None else caller_of_user(user)


class FromOurPage:
    """ASGI middleware that admits WebSockets of our own pages only: scheme, host and port are compared.

    The rule is Django's for forms, so `CSRF_TRUSTED_ORIGINS` names further origins.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        app = self.app if _is_from_our_page(scope) else refuse
        await app(scope, receive, send)


async def refuse(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """ASGI application that refuses every WebSocket: the client gets HTTP 403, and nothing is logged."""
    await receive()  # websocket.connect
    await send({"type": "websocket.close"})


class OriginUnlessKey:
    """ASGI middleware that stops pages of other sites from using a visitor's session for a WebSocket.

    Programs send no Origin, and a request with a key needs no session.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app
        self._checked = FromOurPage(app)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        is_page = any(name.lower() == b"origin" for name, _ in scope["headers"])
        app = self._checked if is_page and not _secret(scope) else self.app
        await app(scope, receive, send)


_forms = CsrfViewMiddleware(lambda request: HttpResponse())


def _is_from_our_page(scope: dict[str, Any]) -> bool:
    request = _request(scope)
    return "HTTP_ORIGIN" in request.META and _forms._origin_verified(request)  # type: ignore[attr-defined]  # noqa: SLF001


def _request(scope: dict[str, Any]) -> ASGIRequest:
    """Return the handshake as a request, for what Django tells from one."""
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    return ASGIRequest({**scope, "type": "http", "method": "GET", "scheme": scheme}, BytesIO())


def _caller_of_session(session_key: str) -> Caller | None:
    user = _user_of_session(session_key)
    return None if user is None else caller_of_user(user)


def _user_of_session(session_key: str) -> User | None:
    """Return the user of a session that has not ended, and that began with the user's present password."""
    session = SessionStore(session_key)
    user = User.objects.filter(pk=session.get(SESSION_KEY, 0)).first()
    if user is None:
        return None
    user.chosen = session.get(CHOSEN)
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    known = session.get(HASH_SESSION_KEY, "")
    return user if any(constant_time_compare(known, each) for each in hashes) else None


@receiver(
    post_delete, sender=BrowserSession
)  # signed out, ended, and whenever the browser gets a new session
def _session_ended(instance: BrowserSession, **signal: Any) -> None:
    if instance.user_id:
        _ask_again(instance.user_id)


@receiver(post_save, sender=User)
def _user_changed(instance: User, update_fields: Collection[str] | None = None, **signal: Any) -> None:
    if set(update_fields or ()) != {"last_login"}:
        _ask_again(instance.pk)


@receiver(post_save, sender=Membership)
@receiver(post_delete, sender=Membership)
def _role_changed(instance: Membership, **signal: Any) -> None:
    _ask_again(instance.user_id)


def _ask_again(user_pk: object) -> None:
    """Make the connections of a user ask whether they are still authorised, in all processes."""
    group = group_of(user_id(user_pk))
    transaction.on_commit(lambda: channel_layer.group_send(group, {"type": "caller.changed"}))


def _headers(scope: dict[str, Any]) -> dict[bytes, str]:
    """Return the headers by name; of a repeated header the last value counts."""
    return {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _address(scope: dict[str, Any]) -> str:
    forwarded_for = _headers(scope).get(b"x-forwarded-for", "")
    return client_address((scope.get("client") or ("",))[0], forwarded_for)


def _secret(scope: dict[str, Any]) -> str:
    headers = _headers(scope)
    kind, _, token = headers.get(b"authorization", "").partition(" ")
    if kind.lower() == "bearer" and token:
        return token.strip()
    if key := headers.get(b"x-api-key"):
        return key.strip()
    offered = [part.removeprefix("key.") for part in scope.get("subprotocols", []) if part.startswith("key.")]
    return offered[0] if offered else ""
