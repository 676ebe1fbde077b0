"""Signing in, with a limit on wrong passwords that is checked before any password is hashed.

Attempts are counted by network, and by account and network together. An account alone is only slowed down,
so strangers cannot lock its owner out. A browser that signed in before has a cookie. Its attempts have a
count of their own, so it is let in whatever others try.

Source: OWASP, "Slow Down Online Guessing Attacks with Device Cookies".
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import admin
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from prometheus_client import Counter

from accounts import networks
from accounts.models import User
from voice.capacity import allowances
from voice.capacity.allowances import Allowance, Policy

logger = logging.getLogger(__name__)

WINDOW_S = 15 * 60
OF_PAIR = Policy("sign-in", limit=10, window_s=WINDOW_S)
"""Wrong passwords for one account from one network."""
OF_NETWORK = Policy("sign-in-network", limit=40, window_s=WINDOW_S)
OF_DEVICE = Policy("sign-in-device", limit=10, window_s=WINDOW_S)
OF_ACCOUNT = Policy("sign-in-account", limit=20, window_s=WINDOW_S)
"""Wrong passwords for one account from anywhere, above which every further attempt is slowed down."""
LONGEST_DELAY_S = 8.0
AT_ONCE = Policy("sign-ins at once", limit=20, window_s=10)
"""Passwords that wait to be hashed in one process; more are asked to come again after `window_s`."""

SIGN_INS = Counter(
    "interviews_sign_ins",
    "Passwords that were typed; outcome: accepted, wrong or refused (too many).",
    ["outcome"],
)

COOKIE = "device"
COOKIE_PATH = "/admin/"
COOKIE_AGE_S = 180 * 24 * 3600

View = Callable[[HttpRequest], HttpResponseBase]

_under_way = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody's attempt to use a password.

    account: a keyed hash, because people type their password where their name belongs.
    device: the number of a browser that signed in to this account before; else empty.
    """

    account: str
    network: str
    device: str

    @classmethod
    def of(cls, request: HttpRequest, username: str) -> "Attempt":
        account = salted_hmac("sign-in", username.strip().casefold(), algorithm="sha256").hexdigest()[:16]
        network = networks.network_of(networks.address_of(request))
        return cls(account, network, _device(request, account))

    @property
    def counts(self) -> dict[Policy, str]:
        """Return what is counted for this attempt, by policy."""
        if self.device:
            return {OF_DEVICE: self.device}
        pair = f"{self.account}:{self.network}"
        return {OF_PAIR: pair, OF_NETWORK: self.network, OF_ACCOUNT: self.account}


class Refused(Exception):
    """Too many attempts; `allowance` says for how long."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(allowance.policy.name)
        self.allowance = allowance


def limited(
    page: View, username_of: Callable[[HttpRequest], Awaitable[str]]
) -> Callable[[HttpRequest], Coroutine[Any, Any, HttpResponseBase]]:
    """Return the view of a page whose form takes a password. A page that redirects has accepted it.

    username_of: returns whose password it is.
    """

    @never_cache
    async def view(request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST":
            return await sync_to_async(page)(request)
        attempt = Attempt.of(request, await username_of(request))
        try:
            response, allowance = await _checked(page, request, attempt)
        except Refused as refused:
            SIGN_INS.labels("refused").inc()
            return await sync_to_async(_refusal)(request, refused.allowance)
        if response.status_code == 302:
            await _give_back(attempt)
            _remember(response, attempt)
            SIGN_INS.labels("accepted").inc()
        else:
            SIGN_INS.labels("wrong").inc()
            await sync_to_async(_log_failure)(attempt, request)
            _tell(response, allowance)
        return response

    return view


async def _checked(page: View, request: HttpRequest, attempt: Attempt) -> tuple[HttpResponseBase, Allowance]:
    """Let the page check the password, unless there were too many attempts.

    Returns its response, and the attempts that are left.

    Raises:
        Refused: too many attempts.
    """
    global _under_way
    counted = await _count(attempt)
    await asyncio.sleep(_delay_s(counted))  # without a place: those who are slowed down keep nobody out
    if _under_way >= AT_ONCE.limit:
        await _give_back(attempt)
        raise Refused(Allowance(AT_ONCE, _under_way + 1, AT_ONCE.window_s))
    _under_way += 1
    try:
        return await sync_to_async(page)(request), counted[0]
    finally:
        _under_way -= 1


async def _count(attempt: Attempt) -> list[Allowance]:
    """Count the attempt, before its password is hashed; return what is left, of the narrowest limit first.

    Raises:
        Refused: too many attempts.
    """
    counted = []
    for policy, subject in attempt.counts.items():
        allowance = await allowances.count(policy, subject)
        if allowance.is_exceeded and policy is not OF_ACCOUNT:
            _log_refusal(attempt, allowance)
            raise Refused(allowance)
        counted.append(allowance)
    return counted


def _delay_s(counted: list[Allowance]) -> float:
    """Return by how much the attempt is slowed down: twice as much for each one above the account's limit."""
    excess = max(allowance.used - allowance.policy.limit for allowance in counted)
    return min(LONGEST_DELAY_S, 2.0 ** min(excess, 10) / 2) if excess > 0 else 0.0


async def _give_back(attempt: Attempt) -> None:
    """Only wrong passwords count: this attempt was none."""
    for policy, subject in attempt.counts.items():
        await allowances.give_back(policy, subject)


def _refusal(request: HttpRequest, allowance: Allowance) -> HttpResponseBase:
    minutes = -(-allowance.reset_s // 60)
    if allowance.policy is AT_ONCE:
        sentence = _("Many people are signing in at this moment. Please try again in ten seconds.")
    else:
        sentence = ngettext(
            "There were too many wrong passwords. Please try again in %d minute.",
            "There were too many wrong passwords. Please try again in %d minutes.",
            minutes,
        )
        sentence %= minutes
    context = {
        **admin.site.each_context(request),
        "title": _("Please wait"),
        "sentence": sentence,
        "address": request.get_full_path(),
    }
    response = TemplateResponse(request, "admin/sign_in_refused.html", context, status=429)
    response["Retry-After"] = str(allowance.reset_s)
    _tell(response, allowance)
    return response.render()


def _tell(response: HttpResponseBase, allowance: Allowance) -> None:
    for name, value in allowance.headers.items():
        response[name] = value


def _log_refusal(attempt: Attempt, allowance: Allowance) -> None:
    if allowance.is_first_refusal:
        logger.warning(
            "sign-ins refused for %d s: account %s, network %s, limit %s",
            allowance.reset_s,
            attempt.account,
            attempt.network,
            allowance.policy.name,
        )


def _log_failure(attempt: Attempt, request: HttpRequest) -> None:
    """Log a wrong password without what was typed: the user's number, if the name is a user's."""
    name = request.POST.get("username", "") or request.user.get_username()
    user = None if "\0" in name else User.objects.filter(username=name).first()
    logger.warning(
        "sign-in failed: account %s (%s), network %s",
        attempt.account,
        f"user {user.pk}" if user else "no such user",
        attempt.network,
    )


def _device(request: HttpRequest, account: str) -> str:
    """Return the number of this browser, if it signed in to the account before."""
    try:
        known = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=COOKIE_AGE_S)
    except signing.BadSignature:
        return ""
    return known["device"] if known["account"] == account else ""


def _remember(response: HttpResponseBase, attempt: Attempt) -> None:
    known: dict[str, Any] = {"account": attempt.account, "device": attempt.device or secrets.token_hex(8)}
    response.set_cookie(
        COOKIE,
        signing.dumps(known, salt=COOKIE),
        max_age=COOKIE_AGE_S,
        path=COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


async def _typed_name(request: HttpRequest) -> str:
    return request.POST.get("username", "")


async def _own_name(request: HttpRequest) -> str:
    return (await request.auser()).get_username()


sign_in = limited(admin.site.login, _typed_name)
change_password = limited(admin.site.admin_view(admin.site.password_change, cacheable=True), _own_name)
