"""On an invitation's page: a later last day, the e-mail again, a new start, and what one candidate needs."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts.scoped_admin import ScopedModelAdmin
from interviews import states
from interviews.actions import accommodations, attempts, invitations, mails
from interviews.actions.errors import ActionRefused
from interviews.models import Accommodation, Invitation, Message
from interviews.models.accommodation import FIELDS
from interviews.texts.accommodations import sentences
from interviews.tokens import UnreadableToken

MORE_DAYS = 14
EXTRA = (0, 25, 50, 100)
"""Percent. The API takes others, too."""


class LastDayForm(BaseDialogForm):
    """Asks for the last day of a link."""

    last_day = forms.DateField(label=_("Last day"), widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["last_day"].initial = (timezone.localdate() + timedelta(days=MORE_DAYS)).isoformat()

    @property
    def expires_at(self) -> datetime:
        """The end of that day."""
        day: date = self.cleaned_data["last_day"]
        return timezone.make_aware(datetime.combine(day, time(23, 59, 59)))


class AccommodationForm(forms.ModelForm):
    """What a candidate is to get from now on, and why."""

    extra_percent = forms.TypedChoiceField(label=_("Extra time"), coerce=int, widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(
        label=_("Why"),
        max_length=accommodations.LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_(
            "Kept encrypted, for those who invite. Write no more than is needed: “agreed by phone” will do."
        ),
    )

    class Meta:
        model = Accommodation
        fields = FIELDS
        widgets = {name: UnfoldBooleanSwitchWidget() for name in FIELDS if name != "extra_percent"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = self.instance.extra_percent
        percents = sorted({*EXTRA, now})
        extra: Any = self.fields["extra_percent"]
        extra.choices = [(each, f"+ {each} %" if each else _("none")) for each in percents]


class Given(NamedTuple):
    """A row of the history. reason: in clear."""

    row: Accommodation
    sentences: list[str | Promise]
    reason: str


class ArrangementActions(ScopedModelAdmin):
    """Base of the invitations' admin: what is arranged for one candidate."""

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<uuid:invitation_id>/accommodations/",
            self.admin_site.admin_view(self.accommodations_view),
            name="interviews_invitation_accommodations",
        )
        return [page, *super().get_urls()]

    def has_accommodate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may give an accommodation, and the interview is not over."""
        return self._has_status(request, obj, accommodations.OPEN)

    def has_extend_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may move the last day."""
        return self._has_status(request, obj, accommodations.OPEN)

    def has_send_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether an invitation can be sent."""
        return self._has_status(request, obj, mails.USABLE[Message.Kind.INVITATION])

    def has_reset_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may let the candidate begin again: something was begun."""
        return self._has_status(request, obj, states.RESET_INVITATION.sources, session__isnull=False)

    def _has_status(self, request: HttpRequest, obj: Any, among: Any, **further: Any) -> bool:
        if obj is None or not self._is_allowed(request, obj, self.writing_roles):
            return False
        return self.writable(request).filter(pk=obj, status__in=among, **further).exists()

    def _of_writer(self, request: HttpRequest, object_id: Any) -> Invitation:
        """Return an invitation that the user may change. Raises Http404."""
        own = self.writable(request).filter(tried=None, set_aside_of=None)
        invitation = own.filter(pk=object_id).select_related("interview", "accommodation").first()
        if invitation is None:
            raise Http404
        return invitation

    @action(description=_("Accommodations"), permissions=["accommodate"], icon="accessibility_new")
    def accommodate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Redirect to the page; nothing is changed here."""
        return redirect("admin:interviews_invitation_accommodations", object_id)

    @action(
        description=_("Extend"),
        permissions=["extend"],
        icon="event",
        dialog={
            "title": _("Give this candidate more time?"),
            "description": _("The link works until the end of that day. One that has expired works again."),
            "form_class": LastDayForm,
            "form_submit_text": _("Extend"),
        },
    )
    def extend(self, request: HttpRequest, form: LastDayForm, object_id: str) -> HttpResponse:
        invitation = self._of_writer(request, object_id)
        try:
            invitations.extend(
                invitation=invitation, expires_at=form.expires_at, by=request.user, now=timezone.now()
            )
        except ActionRefused as refused:
            messages.error(request, refused.detail)
        else:
            self.log_change(request, invitation, "Extended.")
            messages.success(request, _("The link works until then."))
        return _to_page(object_id)

    @action(
        description=_("Send again"),
        permissions=["send"],
        icon="forward_to_inbox",
        dialog={
            "title": _("Send the invitation again?"),
            "description": _("The candidate gets an e-mail with the same link."),
            "form_submit_text": _("Send"),
        },
    )
    def send_again(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        invitation = self._of_writer(request, object_id)
        kind = Message.Kind.INVITATION
        if mails.ask(invitations=[invitation], kind=kind, by=request.user, now=timezone.now()):
            self.log_change(request, invitation, "Sent again.")
            messages.success(request, _("An e-mail is on its way."))
        else:
            messages.error(request, _("Not sent: there is no e-mail address, or no mail server."))
        return _to_page(object_id)

    @action(
        description=_("Begin again"),
        permissions=["reset"],
        icon="restart_alt",
        dialog={
            "title": _("Let this candidate begin again?"),
            "description": _(
                "The same link starts anew. What was said so far is set aside: it can be read, but counts "
                "nowhere. An interview under way is closed."
            ),
            "form_class": LastDayForm,
            "form_submit_text": _("Begin again"),
        },
    )
    def reset(self, request: HttpRequest, form: LastDayForm, object_id: str) -> HttpResponse:
        invitation = self._of_writer(request, object_id)
        try:
            attempts.reset(
                invitation=invitation, expires_at=form.expires_at, by=request.user, now=timezone.now()
            )
        except ActionRefused as refused:
            messages.error(request, refused.detail)
        else:
            self.log_change(request, invitation, "Begins again; the attempt before is set aside.")
            messages.success(request, _("The candidate can begin again with the same link."))
        return _to_page(object_id)

    def accommodations_view(self, request: HttpRequest, invitation_id: UUID) -> HttpResponse:
        """Show what the candidate gets, and change it. No log names it: the rows are the history."""
        invitation = self._of_writer(request, invitation_id)
        is_open = invitation.status in accommodations.OPEN
        form = AccommodationForm(request.POST or None, instance=invitation.accommodation or Accommodation())
        if request.method == "POST" and form.is_valid() and self._give(request, invitation, form):
            return redirect("admin:interviews_invitation_accommodations", invitation.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Accommodations"),
            "invitation": invitation,
            "form": form if is_open else None,
            "history": list(_history(invitation)),
        }
        return TemplateResponse(request, "admin/interviews/invitation/accommodations.html", context)

    def _give(self, request: HttpRequest, invitation: Invitation, form: AccommodationForm) -> bool:
        try:
            accommodations.give(
                invitation=invitation, **form.cleaned_data, by=request.user, now=timezone.now()
            )
        except ActionRefused as refused:
            form.add_error(*refused.at(form.fields))
            return False
        messages.success(request, _("This holds from now on."))
        return True


def _history(invitation: Invitation) -> Iterator[Given]:
    for row in invitation.accommodations.select_related("given_by"):
        try:
            reason = row.reason
        except UnreadableToken:
            reason = str(_("(its key is missing in TOKEN_KEYS)"))
        yield Given(row, sentences(row), reason)


def _to_page(object_id: str) -> HttpResponse:
    address = reverse("admin:interviews_invitation_change", args=[object_id])
    return HttpResponse(headers={"HX-Redirect": address})
