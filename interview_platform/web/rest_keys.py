"""Keys and sessions of the speech service's REST API."""

from django.conf import settings
from django.http import HttpRequest
from ninja.security.apikey import APIKeyCookie

from accounts.networks import address_of, network_of
from accounts.rest_keys import BearerKey, HeaderKey, WrongNetwork
from interview_platform.web.callers import anybody, caller_of_key, caller_of_user
from voice.callers import Caller
from voice.capacity import rate_limits
from voice.infra.threads import in_thread
from voice.web import intake
from voice.web.scopes import scope_of


async def _caller(request: HttpRequest, secret: str | None) -> Caller | None:
    if not secret:
        return None
    address = address_of(request)
    try:
        caller = await caller_of_key(secret, scope=scope_of(request), address=address)
    except WrongNetwork:
        await rate_limits.count_wrong_key(network_of(address))
        raise
    if caller is None:
        await rate_limits.count_wrong_key(network_of(address))
    return await _admitted(request, caller)


async def _admitted(request: HttpRequest, caller: Caller | None) -> Caller | None:
    if caller:
        await intake.admit(request, caller)
    return caller


class VoiceKey(BearerKey):
    """`Authorization: Bearer ipk_…`, of a key for the speech service."""


class VoiceHeaderKey(HeaderKey):
    """`X-API-Key: ipk_…`, of a key for the speech service."""


class StaffSession(APIKeyCookie):
    """A member of an organisation in the browser, or the public if the service allows it.

    Requires the CSRF token.
    """

    param_name = settings.SESSION_COOKIE_NAME

    def _get_key(self, request: HttpRequest) -> str | None:
        # without a cookie there is no session that another site could abuse
        return super()._get_key(request) if self.param_name in request.COOKIES else None

    async def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        caller = await in_thread(caller_of_user)(await request.auser())
        return await _admitted(request, caller or anybody(address_of(request)))


AUTH = [VoiceKey(_caller), VoiceHeaderKey(_caller), StaffSession()]
