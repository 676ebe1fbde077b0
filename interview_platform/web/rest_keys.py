"""Keys and sessions of the speech service's REST API."""

from django.conf import settings
from django.http import HttpRequest
from ninja.errors import AuthorizationError
from ninja.security import APIKeyHeader, HttpBearer
from ninja.security.apikey import APIKeyCookie

from interview_platform.web.callers import WrongScope, anybody, caller_of_key, caller_of_user, client_address
from voice.callers import Caller
from voice.web import intake


async def _for_rest(request: HttpRequest, secret: str | None) -> Caller | None:
    try:
        return await _admitted(request, await caller_of_key(secret) if secret else None)
    except WrongScope:
        raise AuthorizationError(
            message="This API key was not issued for the speech service. Make one that is."
        ) from None


async def _admitted(request: HttpRequest, caller: Caller | None) -> Caller | None:
    if caller:
        await intake.admit(request, caller)
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
    """A member of staff in the browser, or the public if the service allows it. Requires the CSRF token."""

    param_name = settings.SESSION_COOKIE_NAME

    def _get_key(self, request: HttpRequest) -> str | None:
        # without a cookie there is no session that another site could abuse
        return super()._get_key(request) if self.param_name in request.COOKIES else None

    async def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        meta = request.META
        address = client_address(meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", ""))
        return await _admitted(request, caller_of_user(await request.auser()) or anybody(address))
