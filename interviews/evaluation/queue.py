"""Who scores whom: a reviewer's next candidates, and the page on which recruiters assign them."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminIntegerFieldWidget

from accounts import access
from accounts.audit.doors import about
from accounts.models import User
from accounts.scoped_admin import ReadOnlyScopedModelAdmin
from interviews.actions.assignments import assign
from interviews.actions.errors import ActionRefused
from interviews.actions.notes import mark_seen
from interviews.models import Mention, Session
from interviews.queries import colleagues, review_queue

MOST_AT_ONCE = 500


class AssignForm(forms.Form):
    """reviewers: members of the organisation. each: how many of them score a candidate."""

    reviewers = forms.ModelMultipleChoiceField(
        label=_("Reviewers"),
        queryset=User.objects.none(),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    each = forms.IntegerField(
        label=_("Reviewers for each candidate"),
        help_text=_("Candidates are shared out evenly. With two or more, their agreement can be told."),
        min_value=1,
        initial=2,
        widget=UnfoldAdminIntegerFieldWidget,
    )


class QueuePages(ReadOnlyScopedModelAdmin):
    """Base of the sessions' admin: the user's queue, and assigning."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("queue/", view(self.queue_view), name="interviews_session_queue"),
            path("assign/", view(self.assign_view), name="interviews_session_assign"),
            path(
                "mentions/<int:mention_id>/seen/",
                view(require_POST(self.seen_view)),
                name="interviews_session_mention_seen",
            ),
        ]
        return [*own, *super().get_urls()]

    def has_assign_permission(self, request: HttpRequest) -> bool:
        """Whether the user may assign reviewers."""
        return access.has_any(request.user, access.WRITERS)

    def queue_view(self, request: HttpRequest) -> HttpResponse:
        """Show whom the user is to score next, and which notes mention the user."""
        if not access.has_any(request.user, self.reading_roles):
            raise PermissionDenied
        waiting = review_queue.of(cast("User", request.user))
        context = {"title": _("My reviews"), "waiting": waiting, "today": timezone.localdate()}
        return self._page(request, "admin/interviews/evaluation/queue.html", context)

    def seen_view(self, request: HttpRequest, mention_id: int) -> HttpResponse:
        """Take a mention from the user's list."""
        user = cast("User", request.user)
        mention = Mention.objects.filter(pk=mention_id, person=user).first()
        if mention is None:
            raise Http404
        mark_seen(mention=mention, by=user, now=timezone.now())
        return redirect("admin:interviews_session_queue")

    @admin.action(description=_("Assign reviewers"), permissions=["assign"])
    def assign_selected(self, request: HttpRequest, rows: QuerySet[Session]) -> HttpResponse:
        """Ask which reviewers; nothing is changed here."""
        if rows.count() > MOST_AT_ONCE:
            messages.warning(request, _("Choose at most %d candidates at once.") % MOST_AT_ONCE)
            return redirect("admin:interviews_session_changelist")
        return self._asked(request, self._assignable(request, [row.pk for row in rows]))

    def assign_view(self, request: HttpRequest) -> HttpResponse:
        """Ask which reviewers score the candidates, and assign them."""
        if not self.has_assign_permission(request):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        sessions = self._assignable(request, given.getlist("session")[:MOST_AT_ONCE])
        about(Session.objects.filter(pk__in=[session.pk for session in sessions]))
        return self._asked(request, sessions)

    def _asked(self, request: HttpRequest, sessions: list[Session]) -> HttpResponse:
        if not sessions:
            messages.warning(request, _("Choose candidates whose interview you may assign."))
            return redirect("admin:interviews_session_changelist")
        is_answer = request.method == "POST" and "each" in request.POST
        form = AssignForm(request.POST if is_answer else None)
        form.fields["reviewers"].queryset = colleagues.of_organisation(  # type: ignore[attr-defined]
            sessions[0].interview.organisation
        )
        if is_answer and form.is_valid() and self._assigned(request, sessions, form):
            return redirect("admin:interviews_session_changelist")
        context = {"title": _("Assign reviewers"), "sessions": sessions, "form": form}
        return self._page(request, "admin/interviews/evaluation/assign.html", context)

    def _assigned(self, request: HttpRequest, sessions: list[Session], form: AssignForm) -> bool:
        try:
            count = assign(
                sessions=sessions,
                reviewers=list(form.cleaned_data["reviewers"]),
                each=form.cleaned_data["each"],
                by=cast("User", request.user),
                now=timezone.now(),
            )
        except ActionRefused as refused:
            form.add_error(*refused.at(form.fields))
            return False
        messages.success(request, _("%d assignments are new.") % count)
        return True

    def _assignable(self, request: HttpRequest, ids: list[Any]) -> list[Session]:
        """Return those that the user may assign, of one organisation: the first one's."""
        try:
            rows: Any = self.writable(request)
            rows = rows.counted().filter(pk__in=ids)
            found = list(rows.select_related("invitation__interview__organisation").order_by("consented_at"))
        except (ValueError, forms.ValidationError):  # no ids
            return []
        first = found[0].interview.organisation_id if found else None
        return [session for session in found if session.interview.organisation_id == first]

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        media = forms.Media(css={"all": ["admin/interviews/evaluation.css"]})
        page = {**self.admin_site.each_context(request), "opts": self.opts, "media": media}
        return TemplateResponse(request, template, page | context)
