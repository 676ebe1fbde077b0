"""The pages before somebody is signed in: password, second step, first set-up of a second factor, passkey."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.signals import user_login_failed
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.sign_on import passkeys, pending, provider, second_factor
from accounts.sign_on.forms import CodeForm, SignInForm
from accounts.sign_on.second_factor_pages import SHOW_CODES, picture_of

REFUSED = "admin/sign_in_refused.html"


class SignIn(LoginView):
    """Name and password. What comes after the right ones is decided by `pending.go_on`."""

    form_class = SignInForm
    template_name = "admin/sign_in.html"

    def form_valid(self, form: Any) -> HttpResponse:
        return pending.go_on(self.request, form.get_user(), going_to=self.get_success_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **admin.site.each_context(self.request),
            **super().get_context_data(**kwargs),
            "title": _("Log in"),
            "app_path": self.request.get_full_path(),
            "username": self.request.user.get_username(),
            "provider": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        }


def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for name and password, unless somebody is signed in."""
    if request.method == "GET" and admin.site.has_permission(request):
        return redirect("admin:index")
    request.current_app = admin.site.name
    response: Any = SignIn.as_view()(request)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Ask whoever had the right password for a code."""
    found = pending.of(request)
    if found is None:
        return redirect("admin:login")
    user, going_to = found
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if second_factor.check(request=request, user=user, code=form.cleaned_data["code"]):
            return pending.finish(request, user, going_to=going_to, has_second_factor=True)
        _tell_failure(request, user)
        form.refuse()
    context = {"title": _("Second step"), "form": form, "has_passkey": bool(passkeys.of_user(user))}
    return _page(request, "admin/accounts/second_step.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def set_up_first(request: HttpRequest) -> HttpResponse:
    """Let whoever must have a second factor set one up, before the session begins."""
    found = pending.of(request)
    if found is None or second_factor.has_any(found[0]):
        return redirect("admin:login")
    user, _going_to = found
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if second_factor.set_up(request=request, user=user, code=form.cleaned_data["code"]):
            response = pending.finish(
                request, user, going_to=reverse("second-factor"), has_second_factor=True
            )
            request.session[SHOW_CODES] = True
            return response
        form.refuse()
    context = {"title": _("Set up a second factor"), "form": form, **picture_of(request, user)}
    return _page(request, "admin/accounts/second_factor_first.html", context)


@require_safe
def passkey_options(request: HttpRequest) -> HttpResponse:
    """Tell the browser what a passkey has to sign."""
    return JsonResponse(passkeys.request_options())


@require_POST
def passkey_sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with a passkey, which is both factors."""
    found = pending.of(request)
    try:
        user, row = passkeys.check(request=request, written=request.POST.get("credential", ""))
        if provider.is_of_provider(user) and (found is None or found[0] != user):
            raise passkeys.NotAccepted
    except passkeys.NotAccepted:
        user_login_failed.send(__name__, credentials={"method": "passkey"}, request=request)
        context = {
            "title": _("Please sign in again"),
            "sentence": _("This passkey was not accepted."),
            "address": reverse("admin:login"),
        }
        return _page(request, REFUSED, context)
    second_factor.note_use(request=request, user=user, row=row, passwordless=True)
    going_to = found[1] if found else request.POST.get("next", "")
    return pending.go_on(request, user, going_to=going_to, has_second_factor=True)


def _tell_failure(request: HttpRequest, user: User) -> None:
    credentials = {"username": user.get_username(), "method": "code"}
    user_login_failed.send(__name__, credentials=credentials, request=request)


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context}).render()
