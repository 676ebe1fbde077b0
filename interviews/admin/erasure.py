"""Admin pages: erase a candidate, and what stays of those who were erased."""

from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts import access
from accounts.scoped_admin import ReadOnlyScopedModelAdmin, ScopedRelatedFilter
from interviews.actions import erasure
from interviews.actions.errors import OnHold, WrongState
from interviews.models import Erasure, Invitation
from interviews.queries import holdings, retention

TO_ORGANISATION = "interview__organisation_id"


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyScopedModelAdmin):
    """What stays of erased candidates. Read-only; the page that erases one is `confirm_view`."""

    organisation_path = TO_ORGANISATION
    reading_roles = access.WRITERS
    list_display = ["requested_at", "interview", "source", "requested_by", "state", "done_at"]
    list_filter = [("interview", ScopedRelatedFilter), "status", "source"]
    list_select_related = ["interview", "requested_by"]
    when_empty = _("No candidate was erased yet. The page of an invitation does it.")
    fields = [
        "interview",
        ("status", "done_at"),
        ("requested_at", "requested_by"),
        ("source", "answer_count"),
        ("invitation_status", "session_status"),
        ("invited_on", "begun_on"),
        "finished_on",
    ]

    @display(description=_("status"), ordering="status", label={"waiting": "warning", "done": "success"})
    def state(self, row: Erasure) -> tuple[str, str]:
        return row.status, row.get_status_display()

    def get_urls(self) -> list[URLPattern]:
        confirm = path(
            "candidate/<uuid:invitation_id>/",
            self.admin_site.admin_view(self.confirm_view),
            name="interviews_erasure_confirm",
        )
        return [confirm, *super().get_urls()]

    def confirm_view(self, request: HttpRequest, invitation_id: UUID) -> HttpResponse:
        """Say what will be erased, and erase it once that is confirmed."""
        invitation = _invitation(request, invitation_id)
        if request.method == "POST":
            return self._erase(request, invitation)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Erase this candidate?"),
            "invitation": invitation,
            "holdings": holdings.of(invitation),
            "hold": retention.hold_of(invitation),
        }
        return TemplateResponse(request, "admin/interviews/erasure/confirm.html", context)

    def _erase(self, request: HttpRequest, invitation: Invitation) -> HttpResponse:
        try:
            row = erasure.erase_candidate(invitation=invitation, by=request.user, now=timezone.now())
        except OnHold as refused:
            messages.error(request, refused.detail)
            return redirect("admin:interviews_erasure_confirm", invitation.pk)
        except WrongState:
            messages.error(request, _("This candidate was erased meanwhile."))
            return redirect("admin:interviews_erasure_changelist")
        self.log_addition(request, row, "Erased a candidate.")
        messages.success(
            request,
            _("The candidate was erased. Audio and files follow within a minute; this page says when."),
        )
        return redirect("admin:interviews_erasure_change", row.pk)


def _invitation(request: HttpRequest, invitation_id: UUID) -> Invitation:
    """Return an invitation whose candidate the user may erase.

    Raises:
        Http404: no such row, or one of another organisation.
        PermissionDenied: the user may read it only.
    """
    rows = access.scoped(Invitation.objects.all(), request.user, path=TO_ORGANISATION)
    invitation = rows.select_related("interview").filter(pk=invitation_id).first()
    if invitation is None:
        raise Http404
    if not access.has_role(request.user, invitation.interview.organisation_id, access.WRITERS):
        raise PermissionDenied
    return invitation
