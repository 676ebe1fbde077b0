"""The admin pages of API keys: issue one, replace it, revoke it."""

from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from accounts import access
from accounts.key_columns import WARNED_BEFORE, KeyColumns
from accounts.models import ApiKey, User
from accounts.scoped_admin import ScopedModelAdmin, ScopedRelatedFilter

LIFE = timedelta(days=365)
"""Suggested for a new key."""
REPLACES = "replaces"
OVERLAPS = {
    0: _("at once"),
    1: _("after an hour"),
    24: _("after a day"),
    24 * 7: _("after a week"),
    24 * 30: _("after 30 days"),
}
"""Hours for which a replaced key goes on working."""
FIRST_SCOPES = [
    ApiKey.Scope.INTERVIEWS_READ,
    ApiKey.Scope.INVITATIONS_READ,
    ApiKey.Scope.INVITATIONS_WRITE,
    ApiKey.Scope.RESULTS_READ,
]
LIMITS = ["scopes", "is_test", "is_personal", "networks", "expires_at"]


class ApiKeyForm(forms.ModelForm):
    class Meta:
        widgets: ClassVar = {"networks": UnfoldAdminTextareaWidget(attrs={"rows": 3})}

    scopes = forms.MultipleChoiceField(
        label=_("May use"),
        choices=[(scope.value, scope.label) for scope in ApiKey.Scope],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Nothing here contains anything else: to invite and to read, tick both."),
    )
    overlap = forms.TypedChoiceField(
        label=_("The earlier key ends"),
        choices=list(OVERLAPS.items()),
        coerce=int,
        initial=24,
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Until then both work. Put the new one into the other system meanwhile."),
    )

    def clean_networks(self) -> str:
        """Return one network a line. A host may stand in an address: 203.0.113.9/24 is its network."""
        networks = []
        for written in self.cleaned_data["networks"].replace(",", " ").split():
            try:
                networks.append(str(ip_network(written, strict=False)))
            except ValueError:
                raise forms.ValidationError(
                    _("%(written)s is no network. Write it as 203.0.113.0/24."), params={"written": written}
                ) from None
        return "\n".join(networks)

    def clean_expires_at(self) -> datetime | None:
        """Refuse an end that has passed."""
        ends_at: datetime | None = self.cleaned_data["expires_at"]
        if ends_at is not None and ends_at <= timezone.now():
            raise forms.ValidationError(_("This time has passed."))
        return ends_at


@admin.register(ApiKey)
class ApiKeyAdmin(KeyColumns, ScopedModelAdmin):
    """Keys for other systems. A new key is shown once, on the page after it was issued.

    A key is never changed: to change what it may do, it is replaced by another, and both work for a while.
    """

    form = ApiKeyForm
    list_display = ["name", "begins_with", "organisation", "may_use", "made_by", "last_used", "state"]
    list_filter = [("organisation", ScopedRelatedFilter)]
    list_select_related = ["organisation", "created_by"]
    ordering = ["-created_at"]
    of_page = [
        *("organisation", "name", "begins_with", "state_in_words", "may_use", "is_test"),
        *("may_come_from", "made_by", "created_at", "last_used", "ends", "replaced_by", "revoked_at"),
    ]
    readonly_fields = [
        *("begins_with", "state_in_words", "may_use", "may_come_from", "made_by", "last_used", "ends"),
    ]
    reading_roles = writing_roles = access.OWNERS
    actions = ["revoke_selected"]
    when_empty = _("No key yet. Issue one for each program that is to use the API.")
    actions_detail = ["replace_key", "revoke_key"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return cast("Any", super().get_queryset(request)).with_person()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is not None:
            return self.of_page
        return ["name", *LIMITS, "overlap"] if REPLACES in request.GET else ["organisation", "name", *LIMITS]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a key can only be issued, replaced and revoked

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may revoke keys, and this one is not revoked yet."""
        if not self._is_allowed(request, obj, self.writing_roles):
            return False
        return obj is None or self.writable(request).filter(pk=obj, revoked_at__isnull=True).exists()

    def has_replace_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may replace keys, and this one opens something."""
        if not self._is_allowed(request, obj, self.writing_roles):
            return False
        return obj is None or self._valid(request).filter(pk=obj).exists()

    def _valid(self, request: HttpRequest) -> QuerySet:
        return cast("Any", self.writable(request)).valid(timezone.now())

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """Show the list, and say which keys end soon without another in their place."""
        soon = timezone.now() + WARNED_BEFORE
        ending = self._valid(request).filter(expires_at__lte=soon, replaced_by=None)
        if names := ", ".join(str(key) for key in ending):
            count = len(ending)
            text = ngettext(
                "%(count)d key ends within two weeks: %(names)s. Replace it in time.",
                "%(count)d keys end within two weeks: %(names)s. Replace them in time.",
                count,
            )
            messages.warning(request, text % {"count": count, "names": names})
        return super().changelist_view(request, extra_context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        if earlier := self._earlier(request):
            is_own = earlier.is_personal and earlier.created_by == request.user
            life = earlier.expires_at - earlier.created_at if earlier.expires_at else None
            return {
                "name": earlier.name,
                "scopes": sorted(earlier.granted),
                "networks": earlier.networks,
                "is_test": earlier.is_test,
                "is_personal": is_own,
                "expires_at": timezone.now() + life if life else None,
            }
        suggested = {"scopes": FIRST_SCOPES, "expires_at": timezone.now() + LIFE}
        return {
            **access.only_organisation(request.user, access.OWNERS),
            **suggested,
            **super().get_changeform_initial_data(request),
        }

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        """Offer one button: the next page shows the key, whatever was pressed."""
        one = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context | one, **kwargs)

    def _earlier(self, request: HttpRequest) -> ApiKey | None:
        """Return the key that is being replaced, if one is. Raises Http404."""
        if REPLACES not in request.GET:
            return None
        earlier = self.get_object(request, request.GET[REPLACES])
        if earlier is None or not self.has_replace_permission(request, earlier.pk):
            raise Http404
        return cast("ApiKey", earlier)

    def save_form(self, request: HttpRequest, form: forms.ModelForm, change: bool) -> ApiKey:
        super().save_form(request, form, change)
        given, earlier = form.cleaned_data, self._earlier(request)
        row: Any
        row, key = ApiKey.issue(
            organisation=earlier.organisation if earlier else given["organisation"],
            by=cast("User", request.user),
            **{field: given[field] for field in ("name", *LIMITS)},
        )
        row.plain = key  # for the next page only
        row.earlier = earlier
        if earlier:
            earlier.replace_with(row, ends_at=timezone.now() + timedelta(hours=given["overlap"] or 0))
            self.log_change(request, earlier, "Replaced.")
        return row

    def save_model(self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm, change: bool) -> None:
        """Do nothing: `save_form` has issued the key, and only its digest is kept."""

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: Any = None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Your new API key"),
            "api_key": obj,
        }
        return TemplateResponse(request, "admin/accounts/apikey/issued.html", context)

    @action(description=_("Replace"), permissions=["replace"], icon="autorenew")
    def replace_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Open the form of a new key, with what the earlier one may do."""
        return redirect(f"{reverse('admin:accounts_apikey_add')}?{REPLACES}={object_id}")

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, rows: QuerySet) -> None:
        count = self._revoke(request, rows)
        messages.success(request, _("%d keys revoked: calls with them are refused from now on.") % count)

    @action(
        description=_("Revoke"),
        permissions=["revoke"],
        icon="block",
        variant=ActionVariant.DANGER,
        dialog={
            "title": _("Revoke this key?"),
            "description": _("Calls with it are refused from now on. This cannot be undone."),
            "form_submit_text": _("Revoke"),
        },
    )
    def revoke_key(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        self._revoke(request, self.writable(request).filter(pk=object_id))
        messages.success(request, _("The key was revoked."))
        return HttpResponse(
            headers={"HX-Redirect": reverse("admin:accounts_apikey_change", args=[object_id])}
        )

    def _revoke(self, request: HttpRequest, rows: QuerySet) -> int:
        valid = list(rows.filter(revoked_at__isnull=True))
        for key in valid:
            key.revoked_at = timezone.now()
            key.save(update_fields=["revoked_at"])
            self.log_change(request, key, "Revoked.")
        return len(valid)
