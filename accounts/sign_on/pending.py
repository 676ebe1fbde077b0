"""From a first proof to a session. Nobody is signed in before every factor was shown that is wanted of them.

    return pending.go_on(request, user, going_to="/admin/")     # the password was right

A user with a second factor is asked for it; one who must have it and has none sets it up first. Until then
the browser's session only remembers who is on the way, for ten minutes, and opens nothing.
"""

import time
from typing import Any

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User
from accounts.sign_on import second_factor, sessions

PENDING = "pending_sign_in"
SIGNED_IN = "has_just_signed_in"
VALID_S = 600
BACKEND = "django.contrib.auth.backends.ModelBackend"


def go_on(
    request: HttpRequest, user: User, *, going_to: str, has_second_factor: bool = False
) -> HttpResponse:
    """Sign in, or ask for the second factor.

    going_to: the address that was wanted; one of another site is not gone to.
    has_second_factor: the proof was one already: a passkey, or an identity provider that asked for it.
    """
    has_own = second_factor.has_any(user)
    if has_second_factor or not (has_own or second_factor.is_required(user)):
        return finish(request, user, going_to=going_to, has_second_factor=has_second_factor)
    request.session.cycle_key()
    request.session[PENDING] = {
        "user": user.pk,
        "password": user.get_session_auth_hash(),
        "going_to": going_to,
        "at": time.time(),
    }
    return redirect("second-step" if has_own else "second-factor-first")


def finish(request: HttpRequest, user: User, *, going_to: str, has_second_factor: bool) -> HttpResponse:
    """Sign in, and go to the address that was wanted."""
    request.session.pop(PENDING, None)
    setattr(request, sessions.SECOND_FACTOR, has_second_factor)
    login(request, user, backend=BACKEND)
    setattr(request, SIGNED_IN, True)
    return redirect(within_site(request, going_to))


def has_signed_in(request: HttpRequest) -> bool:
    """Whether this very request began the session: every proof was shown that was wanted."""
    return getattr(request, SIGNED_IN, False)


def of(request: HttpRequest) -> tuple[User, str] | None:
    """Return who is on the way in this browser, and to which address; None: nobody, or for too long.

    A password that was changed meanwhile, or an end of the account, ends this as well.
    """
    kept: dict[str, Any] = request.session.get(PENDING) or {}
    if time.time() - kept.get("at", 0) > VALID_S:
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), kept["password"]):
        return None
    return user, kept["going_to"]


def within_site(request: HttpRequest, address: str) -> str:
    """Return the address if it is one of ours, else that of the overview."""
    is_ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours and address else reverse("admin:index")
