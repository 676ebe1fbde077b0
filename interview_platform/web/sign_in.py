"""Signing in, with a limit on wrong passwords that is checked before any password is hashed.

Attempts are counted by network, and by account and network together. An account alone is only slowed down,
so strangers cannot lock its owner out. A browser that signed in before has a cookie. Its attempts have a
count of their own, so it is let in whatever others try.

Codes, passkeys and the identity provider's answers are counted alike. Whoever is asked for a code knows the
password, so wrong codes from browsers that are not known have a limit of the account as well: nobody but
its owner and somebody who has the password meets it.

Source: OWASP, "Slow Down Online Guessing Attacks with Device Cookies".
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Container, Coroutine
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
from accounts.sign_on import pending, sign_in_pages, step_up
from interview_platform.web import identity_provider
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
OF_CODES = Policy("sign-in-codes", limit=30, window_s=3600)
"""Wrong codes for one account from anywhere but known browsers: a guess hits with 3 of 1,000,000."""
OF_STARTS = Policy("sign-in-starts", limit=300, window_s=WINDOW_S)
"""Sign-ins that one network begins with a passkey or at the identity provider: each writes a session."""
LONGEST_DELAY_S = 8.0
AT_ONCE = Policy("sign-ins at once", limit=20, window_s=10)
"""Passwords that wait to be hashed in one process; more are asked to come again after `window_s`."""

SIGN_INS = Counter(
    "interviews_sign_ins",
    "Passwords, codes, passkeys and answers of the provider; outcome: accepted, wrong or refused (too many).",
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

    account: a keyed hash, because people type their password where their name belongs. Empty: the proof
    itself
        says whose it is.
    device: the number of a browser that signed in to this account before; else empty.
    is_code: whether it may be a code, typed after the right password or by somebody who is signed in.
    """

    account: str
    network: str
    device: str
    is_code: bool = False

    @classmethod
    def of(cls, request: HttpRequest, username: str, *, is_code: bool = False) -> "Attempt":
        name = username.strip().casefold()
        account = salted_hmac("sign-in", name, algorithm="sha256").hexdigest()[:16] if name else ""
        network = networks.network_of(networks.address_of(request))
        return cls(account, network, _device(request, account), is_code)

    @property
    def counts(self) -> dict[Policy, str]:
        """Return what is counted for this attempt, by policy."""
        if self.device:
            return {OF_DEVICE: self.device}
        if not self.account:
            return {OF_NETWORK: self.network}
        pair = f"{self.account}:{self.network}"
        of_code = {OF_CODES: self.account} if self.is_code else {}
        return {OF_PAIR: pair, OF_NETWORK: self.network, OF_ACCOUNT: self.account, **of_code}


class Refused(Exception):
    """Too many attempts; `allowance` says for how long."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(allowance.policy.name)
        self.allowance = allowance


def limited(
    page: View,
    username_of: Callable[[HttpRequest], Awaitable[str | None]],
    *,
    is_code: bool = False,
    methods: Container[str] = ("POST",),
) -> Callable[[HttpRequest], Coroutine[Any, Any, HttpResponseBase]]:
    """Return the view of a page that takes a password or another proof. A page that redirects has accepted
    it.

    username_of: returns whose proof it is; empty: the proof itself says so; None: nobody is asked for one.
    """

    @never_cache
    async def view(request: HttpRequest) -> HttpResponseBase:
        name = await username_of(request) if request.method in methods else None
        if name is None:
            return await sync_to_async(page)(request)
        attempt = Attempt.of(request, name, is_code=is_code)
        try:
            response, allowance = await _checked(page, request, attempt)
        except Refused as refused:
            SIGN_INS.labels("refused").inc()
            return await sync_to_async(_refusal)(request, refused.allowance)
        if response.status_code == 302:
            await _give_back(attempt)
            if pending.has_signed_in(request):
                _remember(response, attempt if attempt.account else _of_user(request))
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


def _of_user(request: HttpRequest) -> Attempt:
    """Return the attempt of whoever has just signed in with a proof that says whose it is."""
    return Attempt.of(request, request.user.get_username())


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
    """Log a wrong proof without what was typed: the user's number, if the name is a user's."""
    on_the_way = pending.of(request)
    name = request.POST.get("username", "") or (on_the_way[0] if on_the_way else request.user).get_username()
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
    return known["device"] if not account or known["account"] == account else ""


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


async def _own_name(request: HttpRequest) -> str | None:
    return (await request.auser()).get_username() or None


async def _name_on_the_way(request: HttpRequest) -> str | None:
    found = await sync_to_async(pending.of)(request)
    return found[0].get_username() if found else None


async def _said_by_the_proof(request: HttpRequest) -> str:
    return ""


async def _said_by_the_provider(request: HttpRequest) -> str | None:
    """An answer that the session does not wait for is no proof, so strangers use no limit up with it."""
    is_awaited = await sync_to_async(identity_provider.is_awaited)(request)
    return "" if is_awaited else None


def counted_start(page: View) -> Callable[[HttpRequest], Coroutine[Any, Any, HttpResponseBase]]:
    """Return the view of a page that begins a sign-in, of which a network may begin only so many."""

    @never_cache
    async def view(request: HttpRequest) -> HttpResponseBase:
        network = networks.network_of(networks.address_of(request))
        allowance = await allowances.count(OF_STARTS, network)
        if allowance.is_exceeded:
            return await sync_to_async(_refusal)(request, allowance)
        return await sync_to_async(page)(request)

    return view


sign_in = limited(sign_in_pages.sign_in, _typed_name)
second_step = limited(sign_in_pages.second_step, _name_on_the_way, is_code=True)
set_up_first = limited(sign_in_pages.set_up_first, _name_on_the_way)
passkey_options = counted_start(sign_in_pages.passkey_options)
passkey_sign_in = limited(sign_in_pages.passkey_sign_in, _said_by_the_proof)
provider_start = counted_start(identity_provider.start)
provider_callback = limited(identity_provider.callback, _said_by_the_provider, methods=("GET", "HEAD"))
confirm = limited(admin.site.admin_view(step_up.confirm_page, cacheable=True), _own_name, is_code=True)
change_password = limited(admin.site.admin_view(admin.site.password_change, cacheable=True), _own_name)
