"""API keys in the headers of REST calls. Both APIs use them."""

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any, Final

from django.http import HttpRequest
from ninja.errors import AuthorizationError
from ninja.security import APIKeyHeader, HttpBearer

from accounts.models import ApiKey

KeyHolder = Callable[[HttpRequest, str | None], Any]
"""Returns the caller for a key, or None for an invalid key. May be a coroutine function."""

PARTS: Final = {ApiKey.Scope.INTERVIEWS: "interviews", ApiKey.Scope.VOICE: "the speech service"}


class WrongScope(AuthorizationError):
    """The key is valid, but was issued for another part of the platform: 403."""

    def __init__(self, scope: ApiKey.Scope) -> None:
        super().__init__(message=f"This API key was not issued for {PARTS[scope]}. Make one that is.")


def find_key(secret: str | None, scope: ApiKey.Scope) -> ApiKey | None:
    """Return the valid key with this secret, or None.

    Raises:
        WrongScope: the key was issued for another part of the platform than `scope`.
    """
    key = ApiKey.find(secret) if secret else None
    if key is not None and scope not in key.scopes:
        raise WrongScope(scope)
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
