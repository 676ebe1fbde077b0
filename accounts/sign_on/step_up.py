"""Keys, roles, exports and factors want a proof of who it is that is a few minutes old at most.

Whoever signed in within `CONFIRM_MINUTES` notices nothing. Others prove it again: with a code or a passkey
if they have a second factor, else with the password, or at the identity provider.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.sign_on import passkeys, pending, provider, second_factor, sessions
from accounts.sign_on.forms import CodeForm, PasswordForm
from accounts.sign_on.signals import identity_confirmed

PAGES = {
    "admin:accounts_apikey_add",
    "admin:accounts_apikey_replace_key",
    "admin:accounts_colleagueinvitation_add",
    "admin:accounts_membership_add",
    "admin:accounts_membership_change",
    "admin:accounts_membership_delete",
    "admin:accounts_organisation_change",
    "admin:accounts_user_add",
    "admin:accounts_user_change",
    "admin:auth_user_password_change",
    "second-factor",
    "passkeys",
    "new-passkey",
    "analytics-csv",
    "analytics-xlsx",
    "impact-csv",
    "impact-xlsx",
    "audit-csv",
    "audit-json",
}
EXPORT_PAGES = "admin:interviews_session_export_"
ACTIONS = {"export_csv", "export_xlsx", "export_recordings", "activate_selected", "remove_second_factor"}
"""Of lists."""


class ConfirmationMiddleware:
    """Sends a user whose last proof is too old to `confirm_page`, and from there back.

    A form that was opened in time may be sent for as long again, so that nothing typed is lost.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[..., Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        self.process_view: Callable[..., Any] = (
            self._process_view_async if self._is_async else self._process_view
        )

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)

    async def _process_view_async(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        return self._process_view(request)

    def _process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        if not _wants_proof(request) or not request.user.is_authenticated:
            return None
        within_s = settings.CONFIRM_MINUTES * 60 * (2 if request.method == "POST" else 1)
        if sessions.is_confirmed(request, within_s):
            return None
        back = request.path if request.method == "POST" else request.get_full_path()
        return redirect(f"{reverse('confirm')}?{urlencode({'next': back})}")


def _wants_proof(request: HttpRequest) -> bool:
    match = request.resolver_match
    name = match.view_name if match else ""
    if name in PAGES or name.startswith(EXPORT_PAGES):
        return True
    is_list = name.startswith("admin:") and name.endswith("_changelist")
    if not is_list or request.method != "POST":
        return False
    return not ACTIONS.isdisjoint(request.POST.getlist("action"))  # the list chooses one of them by `index`


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_page(request: HttpRequest) -> HttpResponse:
    """Ask somebody who is signed in to prove it again."""
    user: Any = request.user
    has_factor = second_factor.has_any(user)
    form: Any = (CodeForm if has_factor else PasswordForm)(request.POST or None)
    going_to = pending.within_site(request, request.GET.get("next", ""))
    if request.method == "POST":
        if method := _proved(request, user, form):
            sessions.confirm(request)
            identity_confirmed.send(type(user), request=request, user=user, method=method)
            return redirect(going_to)
        credentials = {"username": user.get_username(), "method": "confirmation"}
        user_login_failed.send(__name__, credentials=credentials, request=request)
    context = {
        **admin.site.each_context(request),
        "title": _("Please confirm that it is you"),
        "form": form,
        "has_passkey": bool(passkeys.of_user(user)),
        "provider": settings.OIDC_NAME if not has_factor and provider.is_of_provider(user) else "",
        "going_to": going_to,
        "back": reverse("admin:index"),
    }
    return TemplateResponse(request, "admin/accounts/confirm.html", context).render()


def _proved(request: HttpRequest, user: Any, form: Any) -> str:
    """Return how the user proved it; empty if they did not."""
    if "credential" in request.POST:
        return "passkey" if _shows_passkey(request, user) else ""
    if not form.is_valid():
        return ""
    if isinstance(form, CodeForm):
        is_right = second_factor.check(request=request, user=user, code=form.cleaned_data["code"])
    else:
        is_right = user.check_password(form.cleaned_data["password"])
    if not is_right:
        form.refuse()
        return ""
    return "code" if isinstance(form, CodeForm) else "password"


def _shows_passkey(request: HttpRequest, user: Any) -> bool:
    try:
        owner, row = passkeys.check(request=request, written=request.POST["credential"])
    except passkeys.NotAccepted:
        return False
    if owner.pk != user.pk:
        return False
    second_factor.note_use(request=request, user=user, row=row, reauthenticated=True)
    return True
