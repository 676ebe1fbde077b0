"""Admin pages: webhooks, and the log of what was delivered."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts import access
from accounts.scoped_admin import ReadOnlyScopedModelAdmin, ScopedModelAdmin, ScopedRelatedFilter
from interviews.actions import outbox, webhooks
from interviews.actions.errors import ActionRefused
from interviews.models import EventType, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from interviews.tokens import UnreadableToken

CHOICES = [(type_.value, f"{type_.value}: {type_.label}") for type_ in EventType if type_ != EventType.TEST]


class WebhookForm(forms.ModelForm):
    """Makes or changes a webhook. The action knows which values are valid, so it runs as the last step."""

    by: Any = None
    events = forms.MultipleChoiceField(
        label=_("Events"), choices=CHOICES, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    class Meta:
        model = WebhookEndpoint
        fields = ["organisation", "url", "description", "events"]

    def _post_clean(self) -> None:
        """Act instead of Django's own validation of the row."""
        if self.errors:
            return
        try:
            if self.instance.pk is None or self.instance._state.adding:  # noqa: SLF001  a documented name
                self.instance = webhooks.create(**self.cleaned_data, by=self.by, now=timezone.now())
            else:
                changed = {name: self.cleaned_data[name] for name in ("url", "events", "description")}
                webhooks.change(endpoint=self.instance, **changed)
        except ActionRefused as refused:
            self.add_error(*refused.at(self.fields))


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ScopedModelAdmin):
    """Addresses of other systems that are told what happens to candidates."""

    form = WebhookForm
    reading_roles = writing_roles = access.OWNERS
    list_display = ["name", "state", "told", "waiting", "organisation"]
    list_filter = [("organisation", ScopedRelatedFilter)]
    list_select_related = ["organisation"]
    when_empty = _(
        "Add the address of a system, such as your applicant tracking, that is to be told at once."
    )
    readonly_fields = ["state_in_words", "secret", "log", "made_by", "created_at"]
    actions_detail = ["send_test", "renew_secret", "switch_off", "switch_on"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        waits = Count("deliveries", filter=Q(deliveries__status=WebhookDelivery.Status.WAITING))
        rows: Any = super().get_queryset(request)
        return rows.annotate(waiting_count=waits)

    def get_fieldsets(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> list:
        asked = ["url", "description", "events"]
        if obj is None:
            return [(None, {"fields": ["organisation", *asked]})]
        return [
            (None, {"fields": [("state_in_words", "log"), "secret"]}),
            (_("Webhook"), {"fields": [*asked, ("made_by", "created_at")]}),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> type:
        form = super().get_form(request, obj, change, **kwargs)
        form.by = request.user
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {
            "events": [value for value, _label in CHOICES],
            **access.only_organisation(request.user, access.OWNERS),
            **super().get_changeform_initial_data(request),
        }

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        """Do nothing: the form's action has saved the row."""

    def has_on_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may switch it on, and it is off."""
        return self._has(request, obj, ~Q(off_reason=""))

    def has_off_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may switch it off, and it is on."""
        return self._has(request, obj, Q(off_reason=""))

    def _has(self, request: HttpRequest, obj: Any, state: Q) -> bool:
        if obj is None or not self._is_allowed(request, obj, self.writing_roles):
            return False
        return self.writable(request).filter(state, pk=obj).exists()

    @display(description=_("webhook"), ordering="url")
    def name(self, endpoint: WebhookEndpoint) -> str:
        return str(endpoint)

    @display(description=_("status"), label={"on": "success", "failing": "warning", "off": "danger"})
    def state(self, endpoint: WebhookEndpoint) -> tuple[str, Any]:
        return _state(endpoint)

    @display(description=_("status"))
    def state_in_words(self, endpoint: WebhookEndpoint) -> Any:
        return _state(endpoint)[1]

    @display(description=_("told of"))
    def told(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(endpoint.events)

    @display(description=_("waiting"), ordering="waiting_count")
    def waiting(self, endpoint: Any) -> int:
        return endpoint.waiting_count

    @display(description=_("created by"))
    def made_by(self, endpoint: WebhookEndpoint) -> str:
        return str(endpoint.created_by or "–")

    @display(description=_("secret"))
    def secret(self, endpoint: WebhookEndpoint) -> str:
        try:
            secret = endpoint.secret
        except UnreadableToken as error:
            return str(error)
        until = endpoint.previous_until
        before = until if until and until > timezone.now() else None
        context = {"secret": secret, "before": before}
        return render_to_string("admin/interviews/webhookendpoint/secret.html", context)

    @display(description=_("deliveries"))
    def log(self, endpoint: WebhookEndpoint) -> SafeString:
        context = {"url": _log_url(endpoint), "count": endpoint.deliveries.count()}
        return render_to_string("admin/interviews/webhookendpoint/log.html", context)

    @action(
        description=_("Send a test"),
        permissions=["off"],
        icon="send",
        dialog={
            "title": _("Send a test?"),
            "description": _("The receiver gets an event that is about no candidate."),
            "form_submit_text": _("Send"),
        },
    )
    def send_test(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        endpoint = self.writable(request).get(pk=object_id)
        outbox.tell_test(endpoint, now=timezone.now())
        messages.success(request, _("A test is on its way. The list shows what came of it."))
        return HttpResponse(headers={"HX-Redirect": _log_url(endpoint)})

    @action(
        description=_("New secret"),
        permissions=["off"],
        icon="key",
        dialog={
            "title": _("Make a new secret?"),
            "description": _(
                "For a day the old one signs as well, so that the receiver can take over the new one."
            ),
            "form_submit_text": _("Make it"),
        },
    )
    def renew_secret(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        endpoint = self.writable(request).get(pk=object_id)
        webhooks.renew_secret(endpoint=endpoint, now=timezone.now())
        return self._done(request, endpoint, "New secret.", _("This is the new secret."))

    @action(
        description=_("Switch off"),
        permissions=["off"],
        icon="link_off",
        dialog={
            "title": _("Switch this webhook off?"),
            "description": _("Nothing is sent any more, and nothing new is kept for it."),
            "form_submit_text": _("Switch off"),
        },
    )
    def switch_off(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self._switch(request, object_id, is_on=False, done=_("The webhook is off."))

    @action(
        description=_("Switch on"),
        permissions=["on"],
        icon="link",
        dialog={
            "title": _("Switch this webhook on?"),
            "description": _("What waits is delivered now."),
            "form_submit_text": _("Switch on"),
        },
    )
    def switch_on(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self._switch(request, object_id, is_on=True, done=_("The webhook is on."))

    def _switch(self, request: HttpRequest, object_id: str, *, is_on: bool, done: Any) -> HttpResponse:
        endpoint = self.writable(request).get(pk=object_id)
        webhooks.switch(endpoint=endpoint, is_on=is_on)
        return self._done(request, endpoint, "Switched on." if is_on else "Switched off.", done)

    def _done(self, request: HttpRequest, endpoint: Any, logged: str, done: Any) -> HttpResponse:
        self.log_change(request, endpoint, logged)
        messages.success(request, done)
        page = reverse("admin:interviews_webhookendpoint_change", args=[endpoint.pk])
        return HttpResponse(headers={"HX-Redirect": page})


def _log_url(endpoint: WebhookEndpoint) -> str:
    return f"{reverse('admin:interviews_webhookdelivery_changelist')}?endpoint__id__exact={endpoint.pk}"


def _state(endpoint: WebhookEndpoint) -> tuple[str, Any]:
    if not endpoint.is_on:
        return "off", endpoint.get_off_reason_display()
    if endpoint.failing_since:
        return "failing", _("nothing arrives since %s") % f"{endpoint.failing_since:%Y-%m-%d %H:%M} UTC"
    return "on", _("on")


class AttemptInline(TabularInline):
    """The attempts of a delivery, as they were."""

    model = WebhookAttempt
    fields = readonly_fields = ["began_at", "took_ms", "outcome", "status_code"]
    extra = 0
    can_delete = False
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # whoever sees the delivery

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyScopedModelAdmin):
    """What was sent, and what came of it. What the receiver wrote is not kept."""

    organisation_path = "endpoint__organisation_id"
    reading_roles = writing_roles = access.OWNERS
    inlines = [AttemptInline]
    list_display = ["happened_at", "event_type", "state", "attempts", "endpoint"]
    list_filter = [("endpoint", ScopedRelatedFilter), "status"]
    list_select_related = ["event", "endpoint"]
    ordering = ["-event__happened_at", "-event__sequence"]
    when_empty = _("Nothing was sent yet.")
    fields = [("event_type", "status"), ("happened_at", "due_at"), ("endpoint", "attempts"), "content"]
    readonly_fields = ["event_type", "happened_at", "content"]
    actions_detail = ["send_again"]

    def has_again_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may send it once more."""
        if obj is None or not self._is_allowed(request, obj, self.writing_roles):
            return False
        return self.writable(request).filter(outbox.is_replayable(), pk=obj).exists()

    @display(description=_("event"), ordering="event__type")
    def event_type(self, delivery: WebhookDelivery) -> str:
        return delivery.event.type

    @display(description=_("time"), ordering="event__happened_at")
    def happened_at(self, delivery: WebhookDelivery) -> str:
        return formats.localize(timezone.localtime(delivery.event.happened_at))

    @display(
        description=_("status"),
        ordering="status",
        label={"waiting": "info", "delivered": "success", "failed": "danger", "dropped": ""},
    )
    def state(self, delivery: WebhookDelivery) -> tuple[str, str]:
        return delivery.status, delivery.get_status_display()

    @display(description=_("what it says"))
    def content(self, delivery: WebhookDelivery) -> str:
        """Show the ids that were sent."""
        event = delivery.event
        context = {"id": event.pk, "data": {**event.data, "sequence": event.sequence}}
        return render_to_string("admin/interviews/webhookendpoint/content.html", context)

    @action(
        description=_("Send again"),
        permissions=["again"],
        icon="replay",
        dialog={
            "title": _("Send this event again?"),
            "description": _("It has the same id, by which the receiver knows that it is a repetition."),
            "form_submit_text": _("Send again"),
        },
    )
    def send_again(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        delivery = self.writable(request).get(pk=object_id)
        outbox.replay(delivery=delivery, now=timezone.now())
        messages.success(request, _("It is being sent again."))
        page = reverse("admin:interviews_webhookdelivery_change", args=[object_id])
        return HttpResponse(headers={"HX-Redirect": page})
