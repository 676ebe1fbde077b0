"""API keys in the headers of REST calls, whichever part of the platform they are for."""

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any, Final

from django.http import HttpRequest
from ninja.errors import AuthorizationError
from ninja.security import APIKeyHeader, HttpBearer

from accounts.models import ApiKey

KeyHolder = Callable[[HttpRequest, str | None], Any]
"""Who calls with this key, None for no valid one; or the coroutine function that says so."""

PARTS: Final = {ApiKey.Scope.INTERVIEWS: "interviews", ApiKey.Scope.VOICE: "the speech service"}


class WrongScope(AuthorizationError):
    """A valid key that was issued for another part of the platform: 403."""

    def __init__(self, scope: ApiKey.Scope) -> None:
        super().__init__(message=f"This API key was not issued for {PARTS[scope]}. Make one that is.")


def find_key(secret: str | None, scope: ApiKey.Scope) -> ApiKey | None:
    """The valid key with this secret, None if there is none.

    Raises:
        WrongScope: the key was issued for another part of the platform than `scope`.
    """
    key = ApiKey.find(secret) if secret else None
    if key is not None and scope not in key.scopes:
        raise WrongScope(scope)
    return key


class _Key:
    """Asks `holder` whom the key belongs to, and awaits the answer if that is a coroutine function."""

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
