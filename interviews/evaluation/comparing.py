"""Up to five candidates of one interview side by side."""

from typing import cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.audit.doors import Kind, about
from accounts.scoped_admin import ReadOnlyScopedModelAdmin
from interviews.models import Session
from interviews.queries import comparison


class ComparePages(ReadOnlyScopedModelAdmin):
    """Base of the sessions' admin: the page that compares those that are chosen in the list."""

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "compare/", self.admin_site.admin_view(self.compare_view), name="interviews_session_compare"
        )
        return [page, *super().get_urls()]

    @admin.action(description=_("Compare"), permissions=["view"])
    def compare_selected(self, request: HttpRequest, rows: QuerySet[Session]) -> HttpResponse:
        """Lead to the page; nothing is changed here."""
        chosen = [("session", str(row.pk)) for row in rows[: comparison.MOST + 1]]
        return redirect(f"{reverse('admin:interviews_session_compare')}?{urlencode(chosen)}")

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        """Show the answers of the candidates that the address names, in its order."""
        if not access.has_any(request.user, self.reading_roles):
            raise PermissionDenied
        sessions = self._chosen(request)
        about(Session.objects.filter(pk__in=[session.pk for session in sessions]), kind=Kind.READ)
        if problem := _problem(sessions):
            messages.warning(request, problem)
            return redirect("admin:interviews_session_changelist")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Compare candidates"),
            "subtitle": sessions[0].interview.title,
            "sessions": sessions,
            "rows": comparison.of(sessions),
            "media": forms.Media(
                css={"all": ["admin/interviews/evaluation.css", "admin/interviews/compare.css"]},
                js=[cast("str", forms.Script("admin/interviews/compare.js", type="module"))],
            ),
        }
        return TemplateResponse(request, "admin/interviews/evaluation/compare.html", context)

    def _chosen(self, request: HttpRequest) -> list[Session]:
        ids = request.GET.getlist("session")[: comparison.MOST + 1]
        rows = self.get_queryset(request).select_related("invitation__interview", "definition")
        try:
            found = {str(row.pk): row for row in rows.filter(pk__in=ids)}
        except (ValueError, ValidationError):  # no ids
            return []
        return [found[key] for key in dict.fromkeys(ids) if key in found]


def _problem(sessions: list[Session]) -> str:
    if not 2 <= len(sessions) <= comparison.MOST:
        return gettext("Choose two to %d candidates to compare.") % comparison.MOST
    if len({session.interview.pk for session in sessions}) > 1:
        return gettext("Choose candidates of one interview: others were asked other questions.")
    return ""
