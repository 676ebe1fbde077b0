"""The decision in lists of candidates: column, order and filter tell no more than the user may see."""

from typing import Any, cast

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import User
from accounts.scoped_admin import ReadOnlyScopedModelAdmin
from interviews.actions.scorecards import note_judgement_shown
from interviews.models import Decision, Session
from interviews.queries import blindness

LABELS = {"advance": "success", "hold": "warning", "reject": "danger", "undecided": "", "hidden": ""}


class DecisionFilter(SimpleListFilter):
    """Offers the decisions. One that is hidden from the user is found under "after your score" only."""

    title = _("decision")
    parameter_name = "decision"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(blindness.WORDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        if value in Decision.Outcome.values:  # by its index: the few that are decided so
            decided = Decision.objects.filter(is_current=True, outcome=value)
            queryset = queryset.filter(pk__in=decided.values("session"))
        return queryset.filter(shown_outcome=value) if value in blindness.WORDS else queryset


class DecisionColumn(ReadOnlyScopedModelAdmin):
    """Base of the sessions' admin: its rows have `shown_outcome`."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        return blindness.with_decision(super().get_queryset(request), request.user)  # type: ignore[arg-type]

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """Show the list. Whose decision it shows is kept: a score that is given later is not blind."""
        response = super().changelist_view(request, extra_context)
        found = getattr(response, "context_data", None) or {}
        if "cl" in found:
            user = cast("User", request.user)
            swaying = blindness.swaying(found["cl"].result_list, user)
            note_judgement_shown(sessions=swaying, by=user, now=timezone.now())
        return response

    @display(description=_("decision"), ordering="shown_outcome", label=LABELS)
    def decision(self, session: Any) -> tuple[str, Any]:
        return session.shown_outcome, blindness.WORDS[session.shown_outcome]
