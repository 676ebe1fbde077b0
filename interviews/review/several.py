"""The interviews of several candidates are transcribed again."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.audit.doors import about
from interviews.models import Session
from interviews.review.again import AgainForm, models_for
from interviews.review.transcripts import TranscriptPages

MOST_AT_ONCE = 20
"""Candidates whose interviews are transcribed again with one click."""


class SeveralTranscriptPages(TranscriptPages):
    """Base of the sessions' admin: transcribing the interviews of several candidates again."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.again_view)
        return [path("again/", view, name="interviews_session_again"), *super().get_urls()]

    def has_transcribe_permission(self, request: HttpRequest) -> bool:
        """Whether the user may let the interviews of several candidates be transcribed again."""
        return access.has_any(request.user, access.WRITERS)

    @admin.action(description=_("Transcribe again"), permissions=["transcribe"])
    def transcribe_selected(self, request: HttpRequest, rows: QuerySet[Session]) -> HttpResponse:
        """Ask by which model; nothing is changed here."""
        if rows.count() > MOST_AT_ONCE:
            messages.warning(request, _("Choose at most %d candidates at once.") % MOST_AT_ONCE)
            return redirect("admin:interviews_session_changelist")
        return self._asked_model(request, self._writable(request, [row.pk for row in rows]))

    def again_view(self, request: HttpRequest) -> HttpResponse:
        """Ask by which model the interviews of several candidates are transcribed again, and do it."""
        if not self.has_transcribe_permission(request):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        sessions = self._writable(request, given.getlist("session")[:MOST_AT_ONCE])
        about(Session.objects.filter(pk__in=[session.pk for session in sessions]))
        return self._asked_model(request, sessions)

    def _asked_model(self, request: HttpRequest, sessions: list[Session]) -> HttpResponse:
        if not sessions:
            messages.warning(request, _("Choose candidates of an organisation in which you invite."))
            return redirect("admin:interviews_session_changelist")
        is_answer = request.method == "POST" and "model" in request.POST
        form = AgainForm(request.POST if is_answer else None, models=models_for(sessions))
        if is_answer and form.is_valid() and self.began(request, sessions, form):
            return redirect("admin:interviews_session_changelist")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Transcribe again"),
            "sessions": sessions,
            "form": form,
        }
        return TemplateResponse(request, "admin/interviews/review/again.html", context)

    def _writable(self, request: HttpRequest, ids: list[Any]) -> list[Session]:
        """Return those of the sessions that the user may change, of one organisation: the first one's."""
        rows: Any = self.writable(request)
        try:
            chosen = rows.counted().filter(pk__in=ids)
            found = list(
                chosen.select_related("invitation__interview", "definition").order_by("consented_at")
            )
        except (ValueError, forms.ValidationError):  # no ids
            return []
        first = found[0].interview.organisation_id if found else None
        return [session for session in found if session.interview.organisation_id == first]
