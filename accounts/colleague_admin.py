"""The admin page on which owners invite colleagues."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts import access, colleagues
from accounts.models import ColleagueInvitation, User
from accounts.scoped_admin import ReadOnlyScopedModelAdmin, ScopedRelatedFilter

LONGEST_ADDRESS = cast("int", User._meta.get_field("username").max_length)  # noqa: SLF001  a documented name
"""The address becomes the name to sign in with."""


class ColleagueForm(forms.ModelForm):
    def clean_email(self) -> str:
        """Refuse an address with which no account can be made."""
        email: str = self.cleaned_data["email"]
        if len(email) > LONGEST_ADDRESS:
            raise forms.ValidationError(
                _("This address is too long for an account: at most %d characters.") % LONGEST_ADDRESS
            )
        return email

    def clean(self) -> dict[str, Any]:
        """Refuse an address that is invited already, or belongs to a member."""
        cleaned = super().clean() or self.cleaned_data
        organisation, email = cleaned.get("organisation"), cleaned.get("email", "").lower()
        if organisation and organisation.users.filter(email__iexact=email).exists():
            self.add_error("email", _("This person is a member already."))
        rows = ColleagueInvitation.objects.filter(organisation=organisation, email=email)
        if rows.filter(accepted_at=None, revoked_at=None).exists():
            self.add_error(
                "email", _("This address is invited already. You can send it again from the list.")
            )
        return cleaned


@admin.register(ColleagueInvitation)
class ColleagueInvitationAdmin(ReadOnlyScopedModelAdmin):
    """Colleagues who were invited by e-mail. Without a mail server the link is shown once."""

    form = ColleagueForm
    list_display = ["email", "role", "organisation", "created_by", "created_at", "expires_at", "state"]
    list_filter = [("organisation", ScopedRelatedFilter)]
    list_select_related = ["organisation", "created_by"]
    search_fields = ["email"]
    ordering = ["-created_at"]
    reading_roles = writing_roles = access.OWNERS
    when_empty = _("Nobody is invited yet. Invite a colleague by e-mail, with a role.")
    actions = ["resend_selected", "revoke_selected"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return ["organisation", "email", "role"]
        return [
            "organisation",
            "email",
            "role",
            "created_by",
            "created_at",
            "sent_at",
            "expires_at",
            "state_in_words",
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.get_fields(request, obj) if obj else []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access.has_any(request.user, self.writing_roles)

    def has_invite_permission(self, request: HttpRequest) -> bool:
        """Whether the user may send and revoke."""
        return access.has_any(request.user, self.writing_roles)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        owned = list(access.organisations(request.user, access.OWNERS)[:2])
        only = {"organisation": owned[0].pk} if len(owned) == 1 else {}
        return {**only, **super().get_changeform_initial_data(request)}

    def save_form(self, request: HttpRequest, form: forms.ModelForm, change: bool) -> ColleagueInvitation:
        super().save_form(request, form, change)
        given = {name: form.cleaned_data[name] for name in ("organisation", "email", "role")}
        return colleagues.invite(**given, by=cast("User", request.user), now=timezone.now())

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        """Do nothing: `save_form` has invited."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Do nothing: the action has written it."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        if colleagues.can_send():
            messages.success(request, gettext("%s is invited, and an e-mail is on its way.") % obj)
            return self.response_post_save_add(request, obj)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("The link for your colleague"),
            "invitation": obj,
        }
        return TemplateResponse(request, "admin/accounts/colleagueinvitation/invited.html", context)

    @display(
        description=_("state"),
        label={
            "joined": "success",
            "revoked": "danger",
            "over": "warning",
            "unsent": "warning",
            "open": "info",
        },
    )
    def state(self, row: ColleagueInvitation) -> tuple[str, str]:
        if row.accepted_at:
            return "joined", gettext("joined")
        if row.revoked_at:
            return "revoked", gettext("revoked")
        if not row.is_open(timezone.now()):
            return "over", gettext("expired")
        return ("open", gettext("waiting")) if row.sent_at else ("unsent", gettext("no e-mail sent"))

    @display(description=_("state"))
    def state_in_words(self, row: ColleagueInvitation) -> str:
        return self.state(row)[1]

    @admin.action(description=_("Send again"), permissions=["invite"])
    def resend_selected(self, request: HttpRequest, rows: QuerySet) -> None:
        if not colleagues.can_send():
            messages.error(request, _("There is no mail server. Revoke the link and invite again."))
            return
        count = self._each(request, rows, colleagues.resend)
        messages.success(request, _("%d links sent again. Earlier ones no longer work.") % count)

    @admin.action(description=_("Revoke"), permissions=["invite"])
    def revoke_selected(self, request: HttpRequest, rows: QuerySet) -> None:
        count = self._each(request, rows, colleagues.revoke)
        messages.success(request, _("%d links revoked.") % count)

    def _each(self, request: HttpRequest, rows: QuerySet, act: Any) -> int:
        """Do it to those that are still open; return how many."""
        count = 0
        for row in rows.filter(accepted_at=None, revoked_at=None):
            act(invitation=row, by=request.user, now=timezone.now())
            count += 1
        return count
