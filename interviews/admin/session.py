"""The list of candidates' interviews and their progress. The page of one is in `interviews.review`."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.scoped_admin import ScopedRelatedFilter
from interviews.models import Session
from interviews.queries import progress
from interviews.review.pages import ReviewPages


@admin.register(Session)
class SessionAdmin(ReviewPages):
    """Read-only: a candidate's interview is never edited."""

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
    search_fields = ["invitation__candidate_name", "invitation__candidate_email"]
    date_hierarchy = "consented_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        rows: Any = super().get_queryset(request)
        return progress.of_sessions(rows.counted().select_related("invitation__interview"))

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        return super().changelist_view(
            request, {"title": _("Candidates’ interviews"), **(extra_context or {})}
        )

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
