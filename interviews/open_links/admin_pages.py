"""Admin pages of open links."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from accounts import access
from accounts.scoped_admin import ScopedModelAdmin, ScopedRelatedFilter
from interviews.actions import open_links
from interviews.actions.errors import ActionRefused
from interviews.models import Interview, OpenLink
from interviews.tokens import UnreadableToken

OPEN_DAYS = 30


class OpenLinkForm(forms.ModelForm):
    """Makes an open link. The action knows which values are valid, so it runs as the last validation step."""

    by: Any = None

    class Meta:
        model = OpenLink
        fields = ["interview", "places", "ends_at", "days"]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # missing in the stubs
        if self.errors:
            return
        try:
            self.instance = open_links.create(**self.cleaned_data, by=self.by, now=timezone.now())
        except ActionRefused as refused:
            self.add_error(*refused.at(self.fields))


@admin.register(OpenLink)
class OpenLinkAdmin(ScopedModelAdmin):
    """Open links: made here, switched off and on with one click, and never edited."""

    form = OpenLinkForm
    organisation_path = "interview__organisation_id"
    reading_roles = access.WRITERS
    list_display = ["interview", "state", "used", "ends_at", "made_by"]
    list_filter = [("interview", ScopedRelatedFilter)]
    list_select_related = ["interview__published", "created_by"]
    when_empty = _("One address for a job advertisement, at which people invite themselves.")
    actions_detail = ["switch_off", "switch_on"]
    readonly_fields = ["address", "state_in_words", "used", "made_by", "created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpenLink]:
        rows: Any = super().get_queryset(request)
        return rows.select_related("interview__published")

    def get_fieldsets(self, request: HttpRequest, obj: OpenLink | None = None) -> list:
        asked = ["interview", ("places", "days"), "ends_at"]
        if obj is None:
            return [(None, {"fields": asked})]
        return [
            (None, {"fields": ["address", ("state_in_words", "used")]}),
            (_("Open link"), {"fields": [*asked, ("made_by", "created_at")]}),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> type:
        form = super().get_form(request, obj, change, **kwargs)
        form.by = request.user
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        ends_at = (timezone.now() + timedelta(days=OPEN_DAYS)).replace(second=0, microsecond=0)
        return {"ends_at": ends_at, **super().get_changeform_initial_data(request)}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_off_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may switch it off, and it is on."""
        return self._is_switched(request, obj, is_open=True)

    def has_on_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may switch it on, and it is off."""
        return self._is_switched(request, obj, is_open=False)

    def _is_switched(self, request: HttpRequest, obj: Any, *, is_open: bool) -> bool:
        if obj is None or not self._is_allowed(request, obj, self.writing_roles):
            return False
        return self.writable(request).filter(pk=obj, is_open=is_open).exists()

    def save_model(self, request: HttpRequest, obj: OpenLink, form: forms.ModelForm, change: bool) -> None:
        """Do nothing: the form's action has saved the row."""

    @display(
        description=_("status"),
        label={"open": "success", "off": "", "full": "warning", "ended": "", "draft": ""},
    )
    def state(self, link: OpenLink) -> tuple[str, Any]:
        return _state(link)

    @display(description=_("status"))
    def state_in_words(self, link: OpenLink) -> Any:
        return _state(link)[1]

    @display(description=_("created by"))
    def made_by(self, link: OpenLink) -> str:
        return str(link.created_by or "–")

    @display(description=_("places taken"))
    def used(self, link: OpenLink) -> str:
        return _("%(taken)d of %(places)d") % {"taken": link.taken, "places": link.places}

    @display(description=_("address"))
    def address(self, link: OpenLink) -> str:
        """Show the address. It is meant for everybody, but only those who invite publish it."""
        try:
            url = link.url
        except UnreadableToken as error:
            return str(error)
        return render_to_string("admin/interviews/openlink/address.html", {"url": url})

    @action(
        description=_("Switch off"),
        permissions=["off"],
        icon="link_off",
        dialog={
            "title": _("Switch this link off?"),
            "description": _("Nobody more comes in. Candidates who have a link of their own keep it."),
            "form_submit_text": _("Switch off"),
        },
    )
    def switch_off(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self._switch(request, object_id, is_open=False, done=_("The link is off."))

    @action(
        description=_("Switch on"),
        permissions=["on"],
        icon="link",
        dialog={
            "title": _("Switch this link on?"),
            "description": _("It works again, until its last day and while there are places."),
            "form_submit_text": _("Switch on"),
        },
    )
    def switch_on(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self._switch(request, object_id, is_open=True, done=_("The link is on."))

    def _switch(self, request: HttpRequest, object_id: str, *, is_open: bool, done: Any) -> HttpResponse:
        link = self.writable(request).get(pk=object_id)
        open_links.switch(link=link, is_open=is_open, by=request.user)
        self.log_change(request, link, "Switched on." if is_open else "Switched off.")
        messages.success(request, done)
        address = reverse("admin:interviews_openlink_change", args=[object_id])
        return HttpResponse(headers={"HX-Redirect": address})


def _state(link: OpenLink) -> tuple[str, Any]:
    if not link.is_open:
        return "off", _("off")
    if link.ends_at <= timezone.now() or link.interview.is_over(timezone.now()):
        return "ended", _("ended")
    if not link.places_left:
        return "full", _("full")
    if link.interview.status != Interview.Status.PUBLISHED:
        return "draft", _("interview not published")
    return "open", _("open")
