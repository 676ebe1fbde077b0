"""The own pages of second factors: the app and recovery codes, passkeys, sessions."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import BrowserSession, User
from accounts.sign_on import passkeys, second_factor, sessions
from accounts.sign_on.forms import CodeForm
from accounts.sign_on.second_factor import Type

SHOW_CODES = "show_recovery_codes"
"""In a session: the next page shows the recovery codes, once."""


def picture_of(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return the secret that is being set up, as a picture for an app's camera and in letters."""
    adapter, secret = get_adapter(), second_factor.new_secret(request, user)
    svg = adapter.build_totp_svg(adapter.build_totp_url(user, secret))
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return {"picture": mark_safe(svg), "secret": groups}  # noqa: S308  made of squares by the library


@require_http_methods(["GET", "HEAD", "POST"])
def second_factor_page(request: HttpRequest) -> HttpResponse:
    """Set up the app, renew recovery codes, or remove the app."""
    user: Any = request.user
    app = second_factor.of_type(user, Type.TOTP)
    form = CodeForm(request.POST if "code" in request.POST else None)
    if request.method == "POST" and _act(request, user, app, form):
        return redirect("second-factor")
    codes = second_factor.recovery_codes(user)
    context = {
        "title": _("Second factor"),
        "form": form,
        "app": app,
        "is_last": app and not second_factor.may_remove(user, app),
        "codes_left": len(codes),
        "codes": codes if request.session.pop(SHOW_CODES, False) else (),
        **({} if app else picture_of(request, user)),
    }
    return _page(request, "admin/accounts/second_factor.html", context)


def _act(request: HttpRequest, user: User, app: Any, form: CodeForm) -> bool:
    """Do what was asked for; return whether it was done."""
    wanted = request.POST.get("act")
    if wanted == "renew" and second_factor.has_any(user):
        second_factor.renew_recovery_codes(request=request, user=user)
        request.session[SHOW_CODES] = True
        return True
    if wanted == "remove" and app and second_factor.remove(request=request, user=user, row=app, by=user):
        messages.success(request, _("The app is removed: its codes open nothing any more."))
        return True
    if app or not form.is_valid():
        return False
    if second_factor.set_up(request=request, user=user, code=form.cleaned_data["code"]):
        request.session[SHOW_CODES] = True
        messages.success(request, _("The app is set up. You are asked for a code when you sign in."))
        return True
    form.refuse()
    return False


@require_http_methods(["GET", "HEAD", "POST"])
def passkeys_page(request: HttpRequest) -> HttpResponse:
    """List the own passkeys; add one, remove one."""
    user: Any = request.user
    if request.method == "POST":
        _change_passkeys(request, user)
        return redirect("second-factor" if SHOW_CODES in request.session else "passkeys")
    rows = passkeys.of_user(user)
    context = {
        "title": _("Passkeys"),
        "passkeys": [(row, second_factor.may_remove(user, row)) for row in rows],
        "longest_name": passkeys.LONGEST_NAME,
    }
    return _page(request, "admin/accounts/passkeys.html", context)


def _change_passkeys(request: HttpRequest, user: User) -> None:
    if "credential" in request.POST:
        is_first = not second_factor.has_any(user)
        try:
            passkeys.add(
                request=request,
                user=user,
                name=request.POST.get("name", ""),
                written=request.POST["credential"],
            )
        except passkeys.NotAccepted:
            messages.error(request, _("This passkey was not accepted. Please try again."))
            return
        messages.success(request, _("The passkey is added."))
        if is_first:
            request.session[SHOW_CODES] = True
        return
    wanted = request.POST.get("remove", "")
    row = next((row for row in passkeys.of_user(user) if str(row.pk) == wanted), None)
    if row is None or not second_factor.remove(request=request, user=user, row=row, by=user):
        raise Http404
    messages.success(request, _("The passkey is removed."))


@require_safe
def new_passkey_options(request: HttpRequest) -> HttpResponse:
    """Tell the browser what passkey to make."""
    user: Any = request.user
    return JsonResponse(passkeys.creation_options(user))


@require_http_methods(["GET", "HEAD", "POST"])
def sessions_page(request: HttpRequest) -> HttpResponse:
    """List the own sessions; end one, or all but this one."""
    user: Any = request.user
    rows = sessions.of_user(user)
    if request.method == "POST":
        others = rows.exclude(pk=request.session.session_key)
        wanted = request.POST.get("end", "")
        if wanted != "others":
            others = others.filter(pk__in=[row.pk for row in others if _name_of(row) == wanted])
        count = sessions.end(others, by=user)
        text = ngettext("%d session ended.", "%d sessions ended.", count) % count
        messages.success(request, text)
        return redirect("sessions")
    listed = [(row, _name_of(row), row.pk == request.session.session_key) for row in rows]
    return _page(request, "admin/accounts/sessions.html", {"title": _("Sessions"), "sessions": listed})


def _name_of(row: BrowserSession) -> str:
    """Return what a page calls a session: its key would open it."""
    return f"{row.began_at.timestamp():.6f}"


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context})
