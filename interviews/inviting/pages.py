"""Admin pages: a spreadsheet is uploaded, looked through, and its good rows are invited."""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSplitDateTimeWidget

from accounts import access
from accounts.models import User
from accounts.scoped_admin import ReadOnlyScopedModelAdmin, ScopedRelatedFilter
from interviews.actions import batches
from interviews.actions.errors import ActionRefused
from interviews.inviting import spreadsheets
from interviews.inviting.forms import InvitingForm
from interviews.models import Interview, InvitationBatch

DAYS = 14
SHOWN_ROWS = 20
LOOK_AGAIN_S = 1


class UploadForm(InvitingForm):
    """The file, and the last day of all links that have none of their own."""

    file = forms.FileField(
        label=_("CSV or XLSX file"),
        help_text=_(
            "With a row for each candidate: name, e-mail, and a last day if it is not the same for all."
        ),
        widget=UnfoldAdminFileFieldWidget,
    )
    expires_at = forms.SplitDateTimeField(label=_("Links expire"), widget=UnfoldAdminSplitDateTimeWidget)
    field_order = ["file", "expires_at"]

    def clean_file(self) -> Any:
        """Read the file: what is wrong with it is the field's error."""
        file = self.cleaned_data["file"]
        try:
            content = file.read(spreadsheets.MAX_BYTES + 1)
            self.sheet = spreadsheets.read(file.name, content, today=timezone.localdate())
        except spreadsheets.Unreadable as error:
            raise forms.ValidationError(str(error)) from error
        return file


@admin.register(InvitationBatch)
class BatchAdmin(ReadOnlyScopedModelAdmin):
    """The spreadsheets of an organisation. A new one is uploaded on an interview's page."""

    organisation_path = "interview__organisation_id"
    reading_roles = access.WRITERS
    list_display = ["file_name", "interview", "state", "total", "made_by", "created_at"]
    list_filter = [("interview", ScopedRelatedFilter), "status"]
    list_select_related = ["interview", "created_by"]
    when_empty = _("No spreadsheet yet. “Invite many” on the page of an interview takes one.")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("to/<uuid:interview_id>/", view(self.upload_view), name="interviews_invitationbatch_upload"),
            path(
                "<uuid:object_id>/start/",
                view(require_POST(self.start_view)),
                name="interviews_invitationbatch_start",
            ),
            path(
                "<uuid:object_id>/undo/",
                view(require_POST(self.undo_view)),
                name="interviews_invitationbatch_undo",
            ),
            path(
                "<uuid:object_id>/progress/",
                view(self.progress_view),
                name="interviews_invitationbatch_progress",
            ),
        ]
        return [*own, *super().get_urls()]

    @display(
        description=_("status"),
        ordering="status",
        label={"checked": "info", "running": "warning", "done": "success", "undone": ""},
    )
    def state(self, batch: InvitationBatch) -> tuple[str, str]:
        return batch.status, batch.get_status_display()

    @display(description=_("created by"), ordering="created_by")
    def made_by(self, batch: InvitationBatch) -> str:
        return str(batch.created_by or "–")

    def upload_view(self, request: HttpRequest, interview_id: UUID) -> HttpResponse:
        """Take a spreadsheet. Nobody is invited by this."""
        own = access.scoped(
            Interview.objects.all(), request.user, path="organisation_id", roles=access.WRITERS
        )
        interview = own.filter(pk=interview_id).first()
        if interview is None:
            raise Http404
        form = UploadForm(
            request.POST or None, request.FILES or None, initial={"expires_at": _in_two_weeks()}
        )
        if (
            request.method == "POST"
            and form.is_valid()
            and (batch := self._checked(request, interview, form))
        ):
            return redirect("admin:interviews_invitationbatch_change", batch.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Invite many: %s") % interview.title,
            "interview": interview,
            "form": form,
            "most": spreadsheets.MAX_ROWS,
        }
        return TemplateResponse(request, "admin/interviews/invitationbatch/upload.html", context)

    def _checked(
        self, request: HttpRequest, interview: Interview, form: UploadForm
    ) -> InvitationBatch | None:
        try:
            return batches.check(
                interview=interview,
                file_name=form.cleaned_data["file"].name,
                candidates=form.sheet.candidates,
                problems=form.sheet.problems,
                expires_at=form.cleaned_data["expires_at"],
                is_mailed=form.cleaned_data["is_mailed"],
                by=cast("User", request.user),
                now=timezone.now(),
            )
        except ActionRefused as refused:
            form.add_refusal(refused)
            return None

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show what was found in the file, and how far its candidates are invited."""
        if object_id is None:  # a spreadsheet is uploaded on an interview's page
            raise PermissionDenied
        batch = self._found(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": batch.file_name,
            **_shown(batch),
        }
        return TemplateResponse(request, "admin/interviews/invitationbatch/batch.html", context)

    def progress_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Render how far it is; the page asks again while it runs."""
        context = _shown(self._found(request, object_id))
        return TemplateResponse(request, "admin/interviews/invitationbatch/progress.html", context)

    def start_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Invite the good rows."""
        batch = self._found(request, object_id)
        try:
            batches.start(batch=batch, by=request.user, now=timezone.now())
        except ActionRefused as refused:
            messages.error(request, refused.detail)
        else:
            self.log_change(request, batch, "Invited.")
        return redirect("admin:interviews_invitationbatch_change", batch.pk)

    def undo_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Take the links back."""
        batch = self._found(request, object_id)
        try:
            count = batches.undo(batch=batch, by=request.user)
        except ActionRefused as refused:
            messages.error(request, refused.detail)
        else:
            self.log_change(request, batch, "Undone.")
            messages.success(request, _("%d links were taken back.") % count)
        return redirect("admin:interviews_invitationbatch_change", batch.pk)

    def _found(self, request: HttpRequest, object_id: UUID | str) -> InvitationBatch:
        batch = self.get_object(request, str(object_id))
        if batch is None:
            raise Http404
        return batch


def _shown(batch: InvitationBatch) -> dict[str, Any]:
    is_running = batch.status == InvitationBatch.Status.RUNNING
    return {
        "batch": batch,
        "interview": batch.interview,
        "first": batch.candidates[:SHOWN_ROWS],
        "further": max(0, len(batch.candidates) - SHOWN_ROWS),
        "percent": round(100 * batch.done / batch.total) if batch.total else 100,
        "look_again_s": LOOK_AGAIN_S if is_running else None,
    }


def _in_two_weeks() -> datetime:
    return (timezone.now() + timedelta(days=DAYS)).replace(second=0, microsecond=0)
