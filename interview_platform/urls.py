"""Every HTTP address."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, include, path
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView
from django_rq.urls import urlpatterns as rq_pages
from rq.exceptions import NoSuchJobError

from accounts import logos
from accounts.access import for_members, for_owners, for_superusers
from accounts.audit import recording
from accounts.audit.doors import Kind, leave_entries
from accounts.joining import join
from accounts.profile import profile, switch
from accounts.sign_on import second_factor_pages
from interview_platform.web import health, metrics, sign_in
from interview_platform.web.api import urls as api_urls
from interview_platform.web.api_errors import explain, unknown_address
from interview_platform.web.source import source
from interviews.analytics import impact_pages
from interviews.analytics import pages as analytics
from interviews.auditing import pages as auditing
from interviews.searching.candidates_page import candidate, candidates_list
from interviews.searching.search_page import search
from interviews.watching.page import watching_page
from voice import urls as voice_urls
from voice.infra import correlation
from voice.web.engines_page import engines_page

admin.autodiscover()  # processes without pages need their addresses, for links in mails
admin.site.index_title = _("Overview")


def _or_404(page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Reply 404 where django-rq fails on what does not exist: a number, a name, a job, its scheduler."""

    @wraps(page)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return page(request, *args, **kwargs)
        except (IndexError, ValueError, NoSuchJobError, ImproperlyConfigured):
            raise Http404 from None

    return view


# These pages show jobs of every organisation, and django-rq itself admits all staff.
queue_pages = [
    URLPattern(page.pattern, for_superusers(_or_404(page.callback)), page.default_args, page.name)
    for page in rq_pages
]


def _of_members(page: URLPattern) -> URLPattern:
    """Restrict a page of the playground to members, unless the speech service is public."""
    if not str(page.name).startswith("playground"):
        return page
    restricted = for_members(page.callback)

    @wraps(page.callback)
    def view(request: HttpRequest, **kwargs: str) -> HttpResponse:
        allowed = page.callback if settings.VOICE["IS_PUBLIC"] else restricted
        return allowed(request, **kwargs)

    return URLPattern(page.pattern, view, page.default_args, page.name)


def no_page(request: HttpRequest, rest: str) -> HttpResponse:
    """Reply 404."""
    raise Http404


speech_pages = [_of_members(page) for page in voice_urls.urlpatterns]

ANALYTICS: list[tuple[str, Any, dict[str, str], str]] = [
    ("", analytics.figures_page, {}, "analytics"),
    ("candidates/", analytics.behind, {}, "analytics-behind"),
    ("figures.csv", analytics.export, {"kind": "csv"}, "analytics-csv"),
    ("figures.xlsx", analytics.export, {"kind": "xlsx"}, "analytics-xlsx"),
]
IMPACT: list[tuple[str, Any, dict[str, str], str]] = [
    ("", impact_pages.impact_page, {}, "impact"),
    ("<uuid:report_id>.csv", impact_pages.export, {"kind": "csv"}, "impact-csv"),
    ("<uuid:report_id>.xlsx", impact_pages.export, {"kind": "xlsx"}, "impact-xlsx"),
]
AUDIT: list[tuple[str, Any, dict[str, str], str]] = [
    ("", auditing.audit_page, {}, "audit"),
    ("export.csv", auditing.export, {"kind": "csv"}, "audit-csv"),
    ("export.json", auditing.export, {"kind": "json"}, "audit-json"),
]
analytics_pages = [
    path(f"admin/analytics/{address}", admin.site.admin_view(for_members(view)), options, name=name)
    for address, view, options, name in ANALYTICS
]
impact_report_pages = [
    path(f"admin/analytics/impact/{address}", admin.site.admin_view(for_owners(view)), options, name=name)
    for address, view, options, name in IMPACT
]
audit_pages = [
    path(f"admin/audit/{address}", admin.site.admin_view(for_owners(view)), options, name=name)
    for address, view, options, name in AUDIT
]

SIGN_ON: dict[str, tuple[str, Any]] = {
    "second-factor": ("second-factor/", second_factor_pages.second_factor_page),
    "passkeys": ("passkeys/", second_factor_pages.passkeys_page),
    "new-passkey": ("passkeys/new/", second_factor_pages.new_passkey_options),
    "sessions": ("sessions/", second_factor_pages.sessions_page),
}
own_sign_on_pages = [
    path(f"admin/profile/{address}", admin.site.admin_view(view), name=name)
    for name, (address, view) in SIGN_ON.items()
]

urlpatterns = [  # tried in this order: the most frequent first
    path("", include("interviews.urls")),
    path("", include((speech_pages, voice_urls.app_name))),
    path("logos/<str:name>", logos.show, name="logo"),
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/speech-engines/", admin.site.admin_view(for_members(engines_page)), name="speech-engines"),
    path("admin/transcript-search/", admin.site.admin_view(for_members(search)), name="search"),
    path("admin/watching/", admin.site.admin_view(for_members(watching_page)), name="watching"),
    path("admin/candidates/", admin.site.admin_view(for_members(candidates_list)), name="candidates"),
    path(
        "admin/candidates/<uuid:invitation_id>/",
        admin.site.admin_view(for_members(candidate)),
        name="candidate",
    ),
    *analytics_pages,
    *impact_report_pages,
    *audit_pages,
    path("join/<str:token>/", join, name="join"),
    path("admin/profile/", admin.site.admin_view(profile), name="profile"),
    path("admin/profile/organisation/", admin.site.admin_view(switch), name="switch-organisation"),
    *own_sign_on_pages,
    path("admin/confirm/", sign_in.confirm, name="confirm"),
    path("admin/login/second/", sign_in.second_step, name="second-step"),
    path("admin/login/set-up/", sign_in.set_up_first, name="second-factor-first"),
    path("admin/login/passkey/", sign_in.passkey_sign_in, name="passkey-sign-in"),
    path("admin/login/passkey/options/", sign_in.passkey_options, name="passkey-options"),
    path("admin/login/provider/", sign_in.provider_start, name="provider-start"),
    path("admin/login/provider/callback/", sign_in.provider_callback, name="provider-callback"),
    path("admin/login/", sign_in.sign_in),  # under the names that the admin gives these addresses
    path("admin/password_change/", sign_in.change_password),
    path(
        "admin/r/<path:rest>", no_page
    ),  # Django's: no row has a page of its own, and it tells which rows exist
    path("admin/", admin.site.urls),
    path("django-rq/", include((queue_pages, "django_rq"))),
    path("", api_urls),
    path("api/problems/<slug:code>", explain, name="problem"),
    path("api/<path:rest>", unknown_address),
    path("v1/<path:rest>", unknown_address),
    path("source/", source, name="source"),
    path("health", health.health),
    path("ready", health.ready),
    path("metrics", metrics.metrics, name="metrics"),
]
leave_entries(urlpatterns, of_others={"index": Kind.LISTED})
recording.request_id = correlation.request_id
