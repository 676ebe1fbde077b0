"""API keys in the headers of calls: whether one may do what is asked. REST and WebSockets use it.

Each operation declares the scope that it needs with `voice.web.scopes.needs`, each socket as its `needs`.
"""

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.errors import AuthorizationError
from ninja.security import APIKeyHeader, HttpBearer

from accounts import metrics
from accounts.models import ApiKey

KeyHolder = Callable[[HttpRequest, str | None], Any]
"""Returns the caller for a key, or None for an invalid key. May be a coroutine function."""


class KeyRefused(AuthorizationError):
    """The key is valid, but not for this: 403."""

    reason: str
    key: ApiKey


class WrongScope(KeyRefused):
    """The key was issued for something else."""

    reason = "scope"

    def __init__(self, scope: str) -> None:
        super().__init__(message=f"This API key lacks the scope {scope}. Use one that has it.")
        self.scope = scope


class WrongNetwork(KeyRefused):
    """The key may not be used from where the call comes."""

    reason = "network"

    def __init__(self) -> None:
        super().__init__(message="This API key may not be used from your network.")


def check(key: ApiKey, *, scope: str | None, address: str) -> None:
    """Refuse a valid key that is not for this. It reads no row.

    scope: what the operation needs; None: one that has no bearing, as whether a large body is read at all.

    Raises:
        WrongNetwork, WrongScope: it may not be used from this address, or for this.
    """
    refusal: KeyRefused
    if not key.is_allowed_from(address):
        refusal = WrongNetwork()
    elif scope is not None and scope not in key.granted:
        refusal = WrongScope(scope)
    else:
        return
    metrics.REFUSED.labels(reason=refusal.reason).inc()
    refusal.key = key
    raise refusal


def admit(secret: str, *, scope: str, address: str) -> ApiKey | None:
    """Return the valid key with this secret, and note its use; None if there is none.

    Raises:
        KeyRefused: it is not for this.
    """
    key = ApiKey.find(secret)
    if key is not None:
        check(key, scope=scope, address=address)
        key.note_use(timezone.now())
    return key


class _Key:
    """Calls `holder` with the key, and awaits the answer if `holder` is a coroutine function."""

    def __init__(self, holder: KeyHolder) -> None:
        super().__init__()
        self._holder = holder
        self.is_async = iscoroutinefunction(holder)  # Django Ninja asks this of `authenticate` otherwise

    def authenticate(self, request: HttpRequest, secret: str | None, /) -> Any:
        return self._holder(request, secret)


class BearerKey(_Key, HttpBearer):
    """`Authorization: Bearer ipk_…`"""


class HeaderKey(_Key, APIKeyHeader):
    """`X-API-Key: ipk_…`"""

    param_name = "X-API-Key"
