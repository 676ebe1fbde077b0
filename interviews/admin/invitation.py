"""Admin pages of invitations and their links."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.audit.doors import about_candidates, leaves_nothing
from accounts.large_lists import PeriodFilter
from accounts.scoped_admin import ScopedRelatedFilter
from interviews.actions import invitations, mails
from interviews.actions.errors import ActionRefused
from interviews.admin.arrangements import ArrangementActions
from interviews.admin.hold import HoldActions
from interviews.admin.link import LinkActions
from interviews.inviting.forms import InvitingForm
from interviews.models import Invitation, Message
from interviews.queries import invited, progress, retention
from interviews.texts.mails import OF_DECISIONS

DEFAULT_DAYS = 14


class InvitationForm(InvitingForm, forms.ModelForm):
    """Form that invites. The action knows which values are valid, so it runs as the last validation step.

    The admin view holds one transaction around validation and saving, so a failure leaves nothing behind.
    """

    by: Any = None

    class Meta:
        model = Invitation
        fields = ["interview", "candidate_name", "candidate_email", "expires_at"]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # missing in the stubs
        if self.errors:
            return
        try:
            self._invite()
        except ActionRefused as refused:
            self.add_refusal(refused)

    def _invite(self) -> None:
        now, is_mailed = timezone.now(), self.cleaned_data.pop("is_mailed", False)
        self.instance = invitations.invite(**self.cleaned_data, by=self.by, now=now)
        about_candidates([self.instance.pk], organisation_id=self.instance.interview.organisation_id)
        if is_mailed:
            mails.ask(invitations=[self.instance], kind=Message.Kind.INVITATION, by=self.by, now=now)


class MailFilter(admin.SimpleListFilter):
    """Candidates whose last e-mail came back, or was reported as spam."""

    title = _("e-mail")
    parameter_name = "mail"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("returned", _("came back"))]

    def queryset(self, request: HttpRequest, rows: QuerySet[Invitation]) -> QuerySet[Invitation]:
        return rows.filter(invited.has_returned()) if self.value() == "returned" else rows


class Invited(PeriodFilter):
    title = _("invited")
    column = "created_at"


class Ends(admin.SimpleListFilter):
    """Offers the invitations that the overview counts (`queries.invited`)."""

    title = _("not begun")
    parameter_name = "ends"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("soon", _("ends within three days")), ("too_late", _("the deadline is over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        now = timezone.now()
        conditions = {"soon": invited.ends_soon(now), "too_late": invited.is_too_late(now)}
        chosen = conditions.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(invited.not_begun(now) & chosen)


class ErasedSoon(admin.SimpleListFilter):
    """Candidates of whose erasure by the clock an e-mail warns (`interviews.actions.erasure_warnings`)."""

    title = _("erasure")
    parameter_name = "erased"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("soon", _("soon")), ("held", _("kept by a legal hold")), ("asked", _("asked for, kept"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "soon":
                return queryset.filter(pk__in=retention.erased_soon(timezone.now()).order_by().values("pk"))
            case "held":
                return queryset.filter(retention.is_held())
            case "asked":
                return queryset.filter(erasure_requested_at__isnull=False)
        return queryset


@admin.register(Invitation)
class InvitationAdmin(LinkActions, ArrangementActions, HoldActions):
    form = InvitationForm
    organisation_path = "interview__organisation_id"
    list_display = ["candidate_name", "interview", "state", "progress_in_words", "expires_at", "link_button"]
    list_filter = [("interview", ScopedRelatedFilter), "status", Ends, MailFilter, ErasedSoon, Invited]
    list_select_related = ["interview", "session"]
    search_fields = ["candidate_name", "candidate_email", "interview__title"]
    when_empty = _("Nobody is invited yet. An interview must be published first.")
    actions = ["revoke_selected"]
    actions_detail = [
        "review",
        {
            "title": _("Arrange"),
            "icon": "tune",
            "items": ["accommodate", "extend", "send_again", "reset", "hold"],
        },
        "revoke_link",
        "erase",
    ]
    readonly_fields = [
        "link",
        "earlier_attempts",
        "status_in_words",
        "progress_in_words",
        "last_mail",
        "held",
        "erased_on",
        "invited_by",
        "created_at",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        own: Any = super().get_queryset(request)
        rows = progress.of_invitations(own.counted())
        return rows.annotate(is_writable=Exists(self.writable(request).filter(pk=OuterRef("pk"))))

    def get_fieldsets(self, request: HttpRequest, obj: Invitation | None = None) -> list:
        who = ["interview", ("candidate_name", "candidate_email"), "expires_at"]
        if obj is None:
            return [(None, {"fields": [*who, "is_mailed"]})]
        is_writer = self._is_allowed(request, obj, self.writing_roles)
        link = ["link"] if is_writer else []
        mail = ["last_mail"] if is_writer and _told(obj).exists() else []
        earlier = ["earlier_attempts"] if is_writer and obj.set_aside.exists() else []
        held = self.held_fields(request, obj)
        kept = held or (["erased_on"] if retention.erased_on(obj) else [])
        return [
            (None, {"fields": [*link, ("status_in_words", "progress_in_words"), *kept, *mail, *earlier]}),
            (_("Invitation"), {"fields": [*who, ("invited_by", "created_at")]}),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> type:
        form = super().get_form(request, obj, change, **kwargs)
        form.by = request.user
        return form

    def get_list_display(self, request: HttpRequest) -> list[str]:
        columns = list(super().get_list_display(request))
        if not self.has_revoke_permission(request):  # with the link a read-only user could take the interview
            columns.remove("link_button")
        return columns

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        expires_at = timezone.now() + timedelta(days=DEFAULT_DAYS)
        return {"expires_at": expires_at, **super().get_changeform_initial_data(request)}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a link that was handed out cannot be edited, only revoked

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_erase_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may erase candidates."""
        return self._is_allowed(request, obj, self.writing_roles)

    def has_review_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether there is something to review."""
        invitation = self.get_object(request, str(obj))
        return invitation is not None and hasattr(invitation, "session")

    def save_model(self, request: HttpRequest, obj: Invitation, form: forms.ModelForm, change: bool) -> None:
        """Do nothing: the form's action has saved the row."""

    def response_add(
        self, request: HttpRequest, obj: Invitation, post_url_continue: Any = None
    ) -> HttpResponse:
        if "_addanother" in request.POST:
            messages.success(request, _("%s is invited.") % obj.candidate_name)
            return redirect(f"{request.path}?interview={obj.interview_id}")
        if obj.messages.exists():
            done = _("%s is invited, and an e-mail is on its way.")
        else:
            done = _("%s is invited. Copy the link and send it.")
        messages.success(request, done % obj.candidate_name)
        return redirect("admin:interviews_invitation_change", obj.pk)

    @display(
        description=_("status"),
        ordering="status",
        label={
            "pending": "info",
            "started": "warning",
            "finished": "success",
            "expired": "",
            "revoked": "danger",
        },
    )
    def state(self, invitation: Invitation) -> tuple[str, str]:
        return invitation.status, invitation.get_status_display()

    @display(description=_("status"))
    def status_in_words(self, invitation: Invitation) -> str:
        return invitation.get_status_display()

    @display(description=_("progress"))
    def progress_in_words(self, invitation: Invitation) -> str:
        return str(progress.of(invitation))

    @display(description=_("last e-mail"))
    def last_mail(self, invitation: Invitation) -> str:
        """Say what became of the last invitation or reminder."""
        last = _told(invitation).order_by("-created_at").first()
        return (
            render_to_string("admin/interviews/invitation/last_mail.html", {"message": last}) if last else "–"
        )

    @display(description=_("erased by the clock"))
    def erased_on(self, invitation: Invitation) -> str:
        at = retention.erased_on(invitation)
        return formats.date_format(timezone.localtime(at), "DATE_FORMAT") if at else "–"

    @display(description=_("invited by"))
    def invited_by(self, invitation: Invitation) -> str:
        return str(invitation.created_by or _("another system"))

    @display(description=_("set aside"))
    def earlier_attempts(self, invitation: Invitation) -> str:
        attempts = invitation.set_aside.select_related("session").order_by("session__consented_at")
        return render_to_string("admin/interviews/invitation/attempts.html", {"attempts": attempts})

    @leaves_nothing
    @action(
        description=_("Review answers"),
        permissions=["review"],
        icon="headphones",
        variant=ActionVariant.PRIMARY,
    )
    def review(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Redirect to the candidate's answers; nothing is changed here."""
        return redirect("admin:interviews_session_change", self.get_object(request, object_id).session.pk)

    @leaves_nothing
    @action(
        description=_("Erase candidate"),
        permissions=["erase"],
        icon="delete_forever",
        variant=ActionVariant.DANGER,
    )
    def erase(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Redirect to the page that says what goes; nothing is changed here."""
        return redirect("admin:interviews_erasure_confirm", object_id)


def _told(invitation: Invitation) -> QuerySet[Message]:
    """Return its e-mails but for those that tell a decision: they are for those who may see it."""
    return invitation.messages.exclude(kind__in=OF_DECISIONS)
