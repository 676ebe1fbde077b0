"""Candidates' interviews: their progress, and the page for listening to answers and reading them."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts import access
from accounts.models import User
from accounts.scoped_admin import ReadOnlyScopedModelAdmin, ScopedRelatedFilter
from interviews.admin.review import Review
from interviews.models import Exchange, Session
from interviews.queries import progress
from voice.recordings import addresses


@admin.register(Session)
class SessionAdmin(ReadOnlyScopedModelAdmin):
    """Read-only page: a candidate's interview is never edited."""

    organisation_path = "invitation__interview__organisation_id"
    list_display = [
        "candidate",
        "interview_title",
        "state",
        "progress_in_words",
        "consented_at",
        "finished_at",
    ]
    list_filter = [("invitation__interview", ScopedRelatedFilter), "status"]
    list_select_related = ["invitation__interview"]
    search_fields = ["invitation__candidate_name", "invitation__candidate_email"]
    date_hierarchy = "consented_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        rows: Any = super().get_queryset(request)
        return progress.of_sessions(rows.counted())

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        return super().changelist_view(
            request, {"title": _("Candidates’ interviews"), **(extra_context or {})}
        )

    def get_urls(self) -> list[URLPattern]:
        recording = path(
            "<uuid:session_id>/answers/<uuid:answer_id>/recording/",
            self.admin_site.admin_view(self.recording_view),
            name="interviews_session_recording",
        )
        exchange = path(
            "<uuid:session_id>/answers/<uuid:answer_id>/language-model/",
            self.admin_site.admin_view(self.exchange_view),
            name="interviews_session_exchange",
        )
        return [recording, exchange, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        """The review page."""
        session = self.get_object(request, object_id)
        if session is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": session.invitation.candidate_name,
            "subtitle": session.interview.title,
            "original": session,
            "session": session,
            "progress": progress.of(session),
            "reviews": Review.all_of(session),
            "is_writer": self._is_writer(request, session),
            "media": self.media + self.review_media,
        }
        return TemplateResponse(request, "admin/interviews/session/review.html", context)

    @property
    def review_media(self) -> forms.Media:
        return forms.Media(
            css={"all": ["admin/interviews/review.css"]},
            js=[
                cast("str", forms.Script("admin/interviews/review.js", type="module"))
            ],  # the stubs are outdated
        )

    def recording_view(self, request: HttpRequest, session_id: UUID, answer_id: UUID) -> HttpResponse:
        """Redirect to a fresh, short-lived URL, so that a page left open for an hour can still play."""
        session = self.get_object(request, str(session_id))
        answer = session and session.answers.filter(pk=answer_id).select_related("recording").first()
        address = answer and answer.recording and addresses.temporary_url(answer.recording)
        if not address:
            raise Http404
        return redirect(address)

    def exchange_view(self, request: HttpRequest, session_id: UUID, answer_id: UUID) -> HttpResponse:
        """Show what the language model was sent about an answer, and what came back. For those who invite."""
        session = self.get_object(request, str(session_id))
        if session is None or not self._is_writer(request, session):
            raise Http404
        exchange = Exchange.objects.filter(answer=answer_id, answer__session=session).first()
        if exchange is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("What the language model was sent"),
            "subtitle": session.invitation.candidate_name,
            "original": session,
            "exchange": exchange,
            "media": self.media + self.review_media,
        }
        return TemplateResponse(request, "admin/interviews/session/exchange.html", context)

    def _is_writer(self, request: HttpRequest, session: Session) -> bool:
        return access.has_role(cast("User", request.user), session.interview.organisation_id, access.WRITERS)

    @display(description=_("candidate"), ordering="invitation__candidate_name")
    def candidate(self, session: Session) -> str:
        return session.invitation.candidate_name

    @display(description=_("interview"), ordering="invitation__interview__title")
    def interview_title(self, session: Session) -> str:
        return session.interview.title

    @display(
        description=_("status"),
        ordering="status",
        label={
            "checking": "info",
            "practising": "info",
            "under_way": "warning",
            "finished": "success",
            "abandoned": "",
        },
    )
    def state(self, session: Session) -> tuple[str, str]:
        return session.status, session.get_status_display()

    @display(description=_("progress"))
    def progress_in_words(self, session: Session) -> str:
        return str(progress.of(session))
