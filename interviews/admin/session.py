"""The list of candidates' interviews and their progress. The page of one is in `interviews.review`."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.large_lists import PeriodFilter
from accounts.scoped_admin import ScopedRelatedFilter
from interviews.evaluation.columns import DecisionColumn, DecisionFilter
from interviews.evaluation.comparing import ComparePages
from interviews.evaluation.note_pages import NotePages
from interviews.evaluation.queue import QueuePages
from interviews.exports.pages import ExportActions
from interviews.models import Session
from interviews.queries import progress
from interviews.review.pages import ReviewPages
from interviews.review.several import SeveralTranscriptPages


class Begun(PeriodFilter):
    title = _("begun")
    column = "consented_at"


@admin.register(Session)
class SessionAdmin(
    ReviewPages,
    SeveralTranscriptPages,
    NotePages,
    QueuePages,
    ComparePages,
    ExportActions,
    DecisionColumn,
):
    """Read-only: a candidate's interview is never edited."""

    when_empty = _("No candidate yet. Those who begin an interview are listed here.")
    organisation_path = "invitation__interview__organisation_id"
    list_display = [
        "candidate",
        "interview_title",
        "state",
        "progress_in_words",
        "decision",
        "consented_at",
        "finished_at",
    ]
    list_filter = [("invitation__interview", ScopedRelatedFilter), "status", DecisionFilter, Begun]
    search_fields = [
        *("invitation__candidate_name", "invitation__candidate_email"),
        "invitation__interview__title",
    ]
    actions = ["assign_selected", "compare_selected", "transcribe_selected", *ExportActions.actions]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        rows: Any = super().get_queryset(request)
        return progress.of_sessions(rows.counted().select_related("invitation__interview"))

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Session | None:
        """Return what the list has, or for those who invite an attempt that was set aside."""
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            return found
        set_aside = self.writable(request).filter(invitation__set_aside_of__isnull=False)
        try:
            return progress.of_sessions(set_aside).filter(pk=object_id).first()
        except (ValueError, ValidationError):
            return None

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        return super().changelist_view(
            request, {"title": _("Candidates’ interviews"), **(extra_context or {})}
        )

    def beside(self, request: HttpRequest, session: Session) -> dict[str, Any]:
        if session.invitation.set_aside_of_id is not None:
            return {}
        return {
            "may_export": self.has_export_permission(request, session),
            **self.evaluation_context(request, session),
        }

    @property
    def review_media(self) -> forms.Media:
        return super().review_media + self.evaluation_media

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
