"""Admin pages: the log of e-mails, and an organisation's own texts."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from accounts import access
from accounts.models import User
from accounts.scoped_admin import ReadOnlyScopedModelAdmin, ScopedModelAdmin, ScopedRelatedFilter
from interviews.actions import mails
from interviews.models import MailTemplate, Message
from interviews.queries import blindness, invited
from interviews.texts.languages import LANGUAGES
from interviews.texts.mails import (
    LINK,
    OF_DECISIONS,
    PLACEHOLDERS,
    MailText,
    filled,
    placeholders,
    standard,
    unknown_places,
)
from interviews.tokens import UnreadableToken

SENDABLE = (
    *(Message.Status.FAILED, Message.Status.SENT),
    *(Message.Status.DELIVERED, Message.Status.BOUNCED),
)
"""E-mails that may be sent again. Who reported one as spam gets none by a click."""


class Delivery(admin.SimpleListFilter):
    """Offers the e-mails that the overview counts (`queries.invited`)."""

    title = _("delivery")
    parameter_name = "delivery"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failed", _("did not arrive, to be sent again"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() != "failed":
            return queryset
        return queryset.filter(invited.did_not_arrive(timezone.now()))


@admin.register(Message)
class MessageAdmin(ReadOnlyScopedModelAdmin):
    """Every e-mail to a candidate: what became of it, and what it says."""

    organisation_path = "invitation__interview__organisation_id"
    reading_roles = access.WRITERS
    list_display = ["created_at", "candidate", "kind", "state", "sent_at", "problem"]
    list_filter = [("invitation__interview", ScopedRelatedFilter), "kind", "status", Delivery]
    list_select_related = ["invitation__interview"]
    when_empty = _("No e-mail yet. Invitations, reminders and decisions are listed here when they are sent.")
    search_fields = ["invitation__candidate_name", "invitation__candidate_email"]
    fields = [
        "candidate",
        ("kind", "status"),
        ("created_at", "sent_at"),
        ("attempts", "problem"),
        "content",
    ]
    readonly_fields = ["candidate", "problem", "content"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """Leave out e-mails that tell a decision which the user may not see yet."""
        rows: Any = super().get_queryset(request)
        return blindness.without_hidden_mails(rows, cast("User", request.user))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        again = path(
            "<uuid:object_id>/again/",
            view(require_POST(self.again_view)),
            name="interviews_message_again",
        )
        return [again, *super().get_urls()]

    @display(description=_("candidate"), ordering="invitation__candidate_name")
    def candidate(self, message: Message) -> str:
        return str(message.invitation)

    @display(
        description=_("status"),
        ordering="status",
        label={
            "waiting": "info",
            "sent": "success",
            "delivered": "success",
            "bounced": "danger",
            "complained": "danger",
            "failed": "danger",
            "dropped": "",
        },
    )
    def state(self, message: Message) -> tuple[str, str]:
        return message.status, message.get_status_display()

    @display(description=_("reason"))
    def problem(self, message: Message) -> str:
        """Say why it came back, or what the last error was."""
        return message.get_returned_because_display() or message.last_error

    @display(description=_("what it says"))
    def content(self, message: Message) -> str:
        """Show the mail without its link: with the link, whoever reads this could take the interview."""
        try:
            mail = mails.mail_of(message, now=timezone.now())
            link = "" if message.kind in OF_DECISIONS else message.invitation.url
        except UnreadableToken as error:
            return str(error)
        hidden = _("(the candidate's link)")
        context = {
            "message": message,
            "subject": mail.subject,
            "text": mail.text.replace(link, f"{hidden} ") if link else mail.text,
            "may_send_again": message.status in SENDABLE,
        }
        return render_to_string("admin/interviews/message/content.html", context)

    def again_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Send the invitation once more, or the decision."""
        message = self.get_object(request, str(object_id))
        if message is None:
            raise Http404
        count = mails.ask(
            invitations=[message.invitation],
            kind=message.kind if message.kind in OF_DECISIONS else Message.Kind.INVITATION,
            by=request.user,
            now=timezone.now(),
        )
        if count:
            self.log_change(request, message, "Sent again.")
            messages.success(request, _("It is being sent again."))
        else:
            messages.error(request, _("Not sent: the link no longer works, or there is no mail server."))
        return redirect("admin:interviews_message_changelist")


class MailTemplateForm(forms.ModelForm):
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "body" not in self.fields:  # a read-only page
            return
        places = ", ".join(f"{{{word}}}" for word in PLACEHOLDERS)
        self.fields["body"].help_text = _("Filled in: %s. A line with only {link} is a button.") % places
        if self.instance.pk is None:  # begin with the standard text
            self.initial.update(standard(Message.Kind.INVITATION, "en")._asdict())

    def clean(self) -> dict[str, Any]:
        """Refuse a text without a link that it needs, and words in braces that nothing is put into."""
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("kind", "")
        if kind not in OF_DECISIONS and LINK not in cleaned.get("body", LINK):
            self.add_error("body", _("Without {link} nobody can open the interview. Put it in."))
        for name in ("subject", "body"):
            if unknown := unknown_places(cleaned.get(name, ""), kind):
                words = ", ".join(f"{{{word}}}" for word in unknown)
                known = ", ".join(f"{{{word}}}" for word in placeholders(kind))
                self.add_error(
                    name,
                    _("%(words)s: nothing is put there. Use %(known)s.") % {"words": words, "known": known},
                )
        return cleaned


EXAMPLES = {
    "name": _("Alex Example"),
    "interview": _("Customer support, first interview"),
    "organisation": _("Your organisation"),
    "link": f"{settings.BASE_URL}/i/…/",
    "deadline": _("31 May, 18:00"),
    "minutes": "20",
    "contact": "people@example.com",
}
"""What a preview puts into the places of a text."""


@admin.register(MailTemplate)
class MailTemplateAdmin(ScopedModelAdmin):
    """An organisation's own texts. Without one, the standard text of the language is sent."""

    form = MailTemplateForm
    change_form_template = "admin/interviews/mailtemplate/change_form.html"
    list_display = ["kind", "language", "subject", "organisation"]
    when_empty = _("Candidates get the standard texts. Add one to replace it with your own.")
    list_filter = ["kind", ("organisation", ScopedRelatedFilter)]
    reading_roles = access.WRITERS
    fields = ["organisation", ("kind", "language"), "subject", "body"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        preview = path(
            "preview/", view(require_POST(self.preview_view)), name="interviews_mailtemplate_preview"
        )
        return [preview, *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Render the text of the form as a candidate would get it, with examples filled in."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        text = MailText(request.POST.get("subject", ""), request.POST.get("body", ""))
        values = {word: str(EXAMPLES[word]) for word in placeholders(request.POST.get("kind", ""))}
        context = {"subject": filled(text.subject, values), "text": filled(text.body, values)}
        return TemplateResponse(request, "admin/interviews/message/content.html", context)
