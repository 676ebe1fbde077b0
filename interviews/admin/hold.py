"""Admin pages: legal holds, and the button that places one on a candidate or on an interview."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts import access
from accounts.models import User
from accounts.scoped_admin import ReadOnlyScopedModelAdmin, ScopedModelAdmin, ScopedRelatedFilter
from interviews.actions import holds
from interviews.actions.errors import ActionRefused
from interviews.models import Interview, Invitation, LegalHold


class HoldForm(BaseDialogForm):
    """Asks why nothing may be erased."""

    reason = forms.CharField(
        label=_("Why"),
        max_length=holds.LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("For those who invite, and for an auditor: the file number will do. Name no candidate."),
    )


class HoldActions(ScopedModelAdmin):
    """Base of the admin pages of what can be held: an invitation or an interview."""

    def has_hold_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may place a hold, and there is none."""
        if obj is None:
            return False
        found = self._to_hold(request, obj)
        return found is not None and not _open_holds(found).exists()

    def _to_hold(self, request: HttpRequest, object_id: Any) -> Any:
        """Return the row, if the user may write it; None for any other id, and for what is none."""
        found = self.get_object(request, str(object_id))
        return found and self.writable(request).filter(pk=found.pk).first()

    @action(
        description=_("Legal hold"),
        permissions=["hold"],
        icon="gavel",
        dialog={
            "title": _("Keep everything for a dispute?"),
            "description": _(
                "Until an owner ends the hold nothing is erased: not by the clock, colleagues or other "
                "systems, and not by candidates, who are told that they have to wait."
            ),
            "form_class": HoldForm,
            "form_submit_text": _("Place the hold"),
        },
    )
    def hold(self, request: HttpRequest, form: HoldForm, object_id: str) -> HttpResponse:
        row = self._to_hold(request, object_id)
        if row is None:
            raise Http404
        about: Any = {"interview": row} if isinstance(row, Interview) else _about(row)
        try:
            holds.place(
                **about, reason=form.cleaned_data["reason"], by=cast("User", request.user), now=timezone.now()
            )
        except ActionRefused as refused:
            messages.error(request, refused.detail)
        else:
            messages.success(request, _("Nothing is erased until the hold is ended."))
        page = reverse(f"admin:interviews_{self.opts.model_name}_change", args=[object_id])
        return HttpResponse(headers={"HX-Redirect": page})

    def held_fields(self, request: HttpRequest, obj: Any) -> list[str]:
        """Return the field that says that the row is held, where it is."""
        return ["held"] if obj is not None and _holds_over(obj).exists() else []

    @display(description=_("legal hold"))
    def held(self, row: Any) -> str:
        found = _holds_over(row).order_by("placed_at")
        asked_at = getattr(row, "erasure_requested_at", None)
        context = {"holds": found, "asked_at": asked_at, "is_writer": getattr(row, "is_writable", True)}
        return render_to_string("admin/interviews/legalhold/held.html", context)


def _about(invitation: Invitation) -> dict[str, Any]:
    return {"interview": invitation.interview, "invitation": invitation}


def _open_holds(row: Interview | Invitation) -> QuerySet[LegalHold]:
    """Return the open hold of just this row."""
    of_interview = row.holds.open().filter(invitation=None)
    return of_interview if isinstance(row, Interview) else row.holds.open()


def _holds_over(row: Interview | Invitation) -> QuerySet[LegalHold]:
    """Return the open holds that keep this row."""
    if isinstance(row, Interview):
        return _open_holds(row)
    whole = Q(invitation=None, interview=row.interview_id)
    return LegalHold.objects.open().filter(Q(invitation=row.pk) | whole)


@admin.register(LegalHold)
class LegalHoldAdmin(ReadOnlyScopedModelAdmin):
    """Legal holds, also those that have ended. Owners end them."""

    organisation_path = "interview__organisation_id"
    reading_roles = access.WRITERS
    list_display = ["held", "state", "reason", "placed_at", "placed_by", "waiting"]
    list_filter = [("interview", ScopedRelatedFilter)]
    list_select_related = ["interview", "invitation", "placed_by"]
    when_empty = _("There is no legal hold. The page of a candidate or of an interview places one.")
    actions_detail = ["end"]
    fields = [("held", "state"), "reason", ("placed_at", "placed_by"), ("ended_at", "ended_by"), "waiting"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LegalHold]:
        rows: Any = super().get_queryset(request)
        asked = Q(interview__invitations__erasure_requested_at__isnull=False)
        own = Count("invitation", filter=Q(invitation__erasure_requested_at__isnull=False), distinct=True)
        every = Count("interview__invitations", filter=asked, distinct=True)
        return rows.annotate(own_waiting=own, all_waiting=every)

    @display(description=_("held"))
    def held(self, hold: LegalHold) -> str:
        return render_to_string("admin/interviews/legalhold/of.html", {"hold": hold})

    @display(description=_("status"), ordering="ended_at", label={"on": "warning", "ended": ""})
    def state(self, hold: LegalHold) -> tuple[str, Any]:
        return ("ended", _("ended")) if hold.ended_at else ("on", _("on hold"))

    @display(description=_("erasures that candidates asked for"))
    def waiting(self, hold: Any) -> int | str:
        if hold.ended_at:
            return "–"
        return hold.own_waiting if hold.invitation_id else hold.all_waiting

    def has_end_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may end the hold, and it has not ended."""
        hold = self.get_object(request, str(obj)) if obj else None
        if hold is None or hold.ended_at is not None:
            return False
        return access.has_role(request.user, self.organisation_id_of(hold), access.OWNERS)

    @action(
        description=_("End the hold"),
        permissions=["end"],
        icon="lock_open",
        dialog={
            "title": _("End this hold?"),
            "description": _(
                "What candidates asked for meanwhile, and what is over by the clock, is erased within ten "
                "minutes, for good."
            ),
            "form_submit_text": _("End the hold"),
        },
    )
    def end(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        hold = self.get_object(request, object_id)
        if hold is None or not self.has_end_permission(request, object_id):
            raise Http404
        try:
            holds.end(hold=hold, by=cast("User", request.user), now=timezone.now())
        except ActionRefused as refused:
            messages.error(request, refused.detail)
        else:
            messages.success(request, _("The hold is ended."))
        page = reverse("admin:interviews_legalhold_change", args=[object_id])
        return HttpResponse(headers={"HX-Redirect": page})
