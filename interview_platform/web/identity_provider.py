"""Signing in at an identity provider, by OpenID Connect.

django-allauth speaks with the provider (authorization code with PKCE); what its answer means is decided by
`accounts.sign_on.provider`. No page of allauth is mounted, and none of its ways to sign up is reached.
"""

from typing import Any

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.models import SocialLogin, SocialToken
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.signals import user_login_failed
from django.core.cache import cache
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.sign_on import claims, pending, provider, sessions
from interview_platform.backends.hashers import give_connections_back

DESCRIBED_FOR_S = 600
"""So long the provider's description of itself is kept by a process."""
UNCLEAR = "unclear"


class Provider(OpenIDConnectOAuth2Adapter):
    """The configured provider. It is spoken to without a database connection."""

    @property
    def openid_config(self) -> dict[str, Any]:
        key = f"oidc:{settings.OIDC_ISSUER}"
        found = cache.get(key) or super().openid_config
        if found.get("issuer", "").rstrip("/") != settings.OIDC_ISSUER:
            raise OAuth2Error("the provider describes itself as another issuer")
        cache.set(key, found, DESCRIBED_FOR_S)
        return found

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return f"{settings.BASE_URL}{reverse('provider-callback')}"

    def complete_login(
        self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        """Return the login, with its claims apart: none of them is to be stored."""
        login = super().complete_login(request, app, token, **kwargs)
        told = login.account.extra_data
        login.claims = {**told.get("userinfo", {}), **told.get("id_token", {})}
        if told.get("userinfo", {}).get("sub", login.claims["sub"]) != login.claims["sub"]:
            raise OAuth2Error("the provider told of another person")  # OpenID Connect Core, section 5.3.2
        login.proved_at = told.get("id_token", {}).get("auth_time")
        login.account.extra_data = {}
        return login


class Accounts(DefaultSocialAccountAdapter):
    """What becomes of a login at the provider, in place of allauth's accounts."""

    def get_requests_session(self) -> requests.Session:
        give_connections_back()
        return super().get_requests_session()

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Answer in every case: what follows in allauth would sign anybody up."""
        raise ImmediateHttpResponse(_answer(request, sociallogin))

    def on_authentication_error(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        raise ImmediateHttpResponse(_refusal(request, UNCLEAR))


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider. With `confirm` it asks again, though somebody is signed in there."""
    oidc = _provider(request)
    going_to = pending.within_site(request, request.GET.get("next", ""))
    asks_again = {"prompt": "login", "max_age": "0"} if "confirm" in request.GET else {}
    try:
        response: HttpResponse = oidc.redirect(
            request, AuthProcess.LOGIN, next_url=going_to, auth_params=asks_again
        )
    except (requests.RequestException, OAuth2Error, ImmediateHttpResponse, ValueError):
        return _refusal(request, UNCLEAR)
    return response


@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Take what the provider answered."""
    _provider(request)
    if not is_awaited(request):
        return _refusal_page(request, UNCLEAR)
    view = OAuth2CallbackView.adapter_view(Provider(request, provider.PROVIDER))
    try:
        response: HttpResponse = view(request)
    except (KeyError, ValueError):  # an answer that is none
        return _refusal(request, UNCLEAR)
    return response


def is_awaited(request: HttpRequest) -> bool:
    """Whether this session asked the provider for the answer: its `state` is one of the session."""
    return request.GET.get("state") in statekit.get_states(request)


def _provider(request: HttpRequest) -> Any:
    if not settings.OIDC_ISSUER:
        raise Http404
    found = Accounts(request).get_provider(request, provider.PROVIDER)
    found.oauth2_adapter_class = Provider
    return found


def _answer(request: HttpRequest, login: SocialLogin) -> HttpResponse:
    person = claims.person_of(
        login.claims,
        groups_claim=settings.OIDC_GROUPS_CLAIM,
        is_email_verified=settings.OIDC_EMAIL_IS_VERIFIED,
        has_second_factor=settings.OIDC_HAS_SECOND_FACTOR,
    )
    try:
        user = provider.admit(person)
    except (provider.NotAdmitted, IntegrityError):
        return _refusal(request, "not admitted")
    going_to = login.state.get("next") or ""
    response = pending.go_on(request, user, going_to=going_to, has_second_factor=person.has_second_factor)
    if pending.has_signed_in(request):
        sessions.note_proof(request, login.proved_at)
    return response


def _refusal(request: HttpRequest, reason: str) -> HttpResponse:
    user_login_failed.send(__name__, credentials={"method": "provider"}, request=request)
    return _refusal_page(request, reason)


def _refusal_page(request: HttpRequest, reason: str) -> HttpResponse:
    if reason == UNCLEAR:
        sentence = _("%(name)s gave no answer that can be used. Please try again.")
    else:
        sentence = _("%(name)s knows you, but gives you no role here. Ask whoever looks after it.")
    context = {
        **admin.site.each_context(request),
        "title": _("You are not signed in"),
        "sentence": sentence % {"name": settings.OIDC_NAME},
        "address": reverse("admin:login"),
    }
    return TemplateResponse(request, "admin/sign_in_refused.html", context, status=403).render()
