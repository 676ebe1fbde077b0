"""Admin pages of people, roles and API keys; of organisations in `organisation_admin`."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import ForeignKey, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts import (
    access,
    colleague_admin,  # noqa: F401  registers its page
)
from accounts.models import ApiKey, Membership, Organisation, User
from accounts.organisation_admin import OrganisationAdmin
from accounts.scoped_admin import ScopedModelAdmin, ScopedRelatedFilter

admin.site.unregister(Group)  # access depends on roles only

AFTER_DEACTIVATION = _(
    "People who leave are deactivated, not deleted: sign-in ends at once, and the history keeps the name. "
    "API keys belong to the organisation and go on working, so that connected systems do not stop. "
    "Revoke those that the person knows."
)


admin.site.register(Organisation, OrganisationAdmin)


class MembershipInline(TabularInline):
    """A person's roles in the organisations that the current user owns."""

    model = Membership
    fields = ["organisation", "role"]
    extra = 0
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return access.scoped(rows, request.user, path="organisation_id", roles=access.OWNERS)

    def get_min_num(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if access.is_unlimited(request.user) or obj else 1

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> type:
        return super().get_formset(request, obj, validate_min=True, **kwargs)

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = access.organisations(request.user, access.OWNERS)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        field.widget.can_add_related = field.widget.can_change_related = False
        field.widget.can_delete_related = field.widget.can_view_related = False
        return field

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.has_any(request.user, access.OWNERS)

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission


@admin.register(User)
class UserAdmin(ScopedModelAdmin, DjangoUserAdmin):
    """People who sign in. Owners see members of their organisations; see also `access.may_administer`.

    People are deactivated, not deleted: what they did stays, with their name.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = [MembershipInline]
    list_display = ["username", "full_name", "email", "roles_in_words", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["username", "first_name", "last_name", "email"]
    ordering = ["username"]
    filter_horizontal = []
    reading_roles = writing_roles = access.OWNERS
    actions = ["deactivate_selected", "activate_selected"]
    add_fieldsets = [(None, {"fields": ["username", "email", "password1", "password2"]})]
    person = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": [("first_name", "last_name"), "email"]}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> list:
        if obj is None:
            return self.add_fieldsets
        rights = ["is_active"]
        if access.is_unlimited(request.user):
            rights.append("is_superuser")
        access_of_person = {"fields": [tuple(rights), "keys_made"], "description": AFTER_DEACTIVATION}
        return [*self.person, (_("Access"), access_of_person)]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """The user's own page cannot take the user's own access away."""
        own = ["is_active", "is_superuser"] if obj == request.user else []
        return ["keys_made", *own]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        owned = access.scoped(
            Membership.objects.select_related("organisation"),
            request.user,
            path="organisation_id",
            roles=access.OWNERS,
        )
        keys = access.scoped(
            ApiKey.objects.filter(revoked_at__isnull=True).select_related("organisation"),
            request.user,
            path="organisation_id",
            roles=access.OWNERS,
        )
        return access.users(request.user, access.OWNERS).prefetch_related(
            Prefetch("memberships", owned, to_attr="owned_memberships"),
            Prefetch("api_keys", keys, to_attr="valid_keys"),
        )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.has_any(request.user, access.OWNERS)  # get_queryset limits the people

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not isinstance(obj, User):
            return access.has_any(request.user, access.OWNERS)
        return access.may_administer(request.user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # people who leave are deactivated

    @admin.action(description=_("Deactivate"), permissions=["change"])
    def deactivate_selected(self, request: HttpRequest, people: QuerySet) -> None:
        changed = self._set_active(request, people, is_active=False)
        messages.success(request, _("%d people deactivated: they are signed out.") % len(changed))
        if names := ", ".join(str(key) for person in changed for key in person.valid_keys):
            messages.warning(
                request, _("Keys that they made go on working: %s. Revoke those that they know.") % names
            )

    @admin.action(description=_("Activate"), permissions=["change"])
    def activate_selected(self, request: HttpRequest, people: QuerySet) -> None:
        changed = self._set_active(request, people, is_active=True)
        messages.success(request, _("%d people activated: they can sign in again.") % len(changed))

    def _set_active(self, request: HttpRequest, people: QuerySet, *, is_active: bool) -> list[Any]:
        """Change those whom the user may change, but not the user. Return them."""
        others = people.exclude(pk=request.user.pk).exclude(is_active=is_active)
        changed = [person for person in others if self.has_change_permission(request, person)]
        for person in changed:
            person.is_active = is_active
            person.save(update_fields=["is_active"])
            self.log_change(request, person, "Activated." if is_active else "Deactivated.")
        return changed

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        if not change:
            obj.is_staff = True  # everyone signs in at the admin; roles limit access
        super().save_model(request, obj, form, change)

    @display(description=_("name"))
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @display(description=_("API keys made by this person"))
    def keys_made(self, user: Any) -> str:
        return ", ".join(f"{key}, {key.organisation}" for key in user.valid_keys) or "–"

    @display(description=_("roles"))
    def roles_in_words(self, user: Any) -> str:
        return ", ".join(f"{m.get_role_display()} ({m.organisation})" for m in user.owned_memberships)


@admin.register(Membership)
class MembershipAdmin(ScopedModelAdmin):
    fields = ["user", "organisation", "role"]
    list_display = ["user", "organisation", "role"]
    list_filter = [("organisation", ScopedRelatedFilter), "role"]
    list_select_related = ["user", "organisation"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    writing_roles = access.OWNERS

    def choices_for(self, db_field: ForeignKey, request: HttpRequest) -> QuerySet:
        if db_field.name == "user":
            return access.users(request.user, access.OWNERS)
        return super().choices_for(db_field, request)


class ApiKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label=_("May use"),
        choices=ApiKey.Scope.choices,
        initial=[ApiKey.Scope.INTERVIEWS],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


@admin.register(ApiKey)
class ApiKeyAdmin(ScopedModelAdmin):
    """Keys for other systems. A new key is shown once, on the page after it was issued."""

    form = ApiKeyForm
    list_display = ["name", "begins_with", "organisation", "may_use", "made_by", "created_at", "state"]
    list_filter = [("organisation", ScopedRelatedFilter)]
    list_select_related = ["organisation", "created_by"]
    readonly_fields = ["begins_with", "may_use", "made_by", "created_at", "revoked_at"]
    reading_roles = writing_roles = access.OWNERS
    actions = ["revoke_selected"]
    when_empty = _("No key yet. Issue one for each program that is to use the API.")
    actions_detail = ["revoke_key"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return ["organisation", "name", "scopes"]
        return ["organisation", "name", "begins_with", "may_use", "made_by", "created_at", "revoked_at"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a key can only be issued and revoked

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may revoke keys, and this one is still valid."""
        if not self._is_allowed(request, obj, self.writing_roles):
            return False
        return obj is None or self.writable(request).filter(pk=obj, revoked_at__isnull=True).exists()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        owned = list(access.organisations(request.user, access.OWNERS)[:2])
        only = {"organisation": owned[0].pk} if len(owned) == 1 else {}
        return {**only, **super().get_changeform_initial_data(request)}

    def save_form(self, request: HttpRequest, form: forms.ModelForm, change: bool) -> ApiKey:
        super().save_form(request, form, change)
        fields = ("organisation", "name", "scopes")
        row: Any
        given = {field: form.cleaned_data[field] for field in fields}
        row, key = ApiKey.issue(**given, by=cast("User", request.user))
        row.plain = key  # for the next page only
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

    @display(description=_("begins with"))
    def begins_with(self, key: ApiKey) -> str:
        return f"{key.hint}…"

    @display(description=_("may use"))
    def may_use(self, key: ApiKey) -> str:
        return ", ".join(str(ApiKey.Scope(scope).label) for scope in key.scopes)

    @display(description=_("made by"), ordering="created_by__username")
    def made_by(self, key: ApiKey) -> str:
        person = key.created_by
        if person is None:
            return gettext("not known: the key is older than this column")
        if person.is_active:
            return str(person)
        if key.revoked_at:
            return gettext("%s, deactivated") % person
        return gettext("%s, deactivated; the key goes on working until it is revoked") % person

    @display(description=_("state"), label={"valid": "success", "revoked": "danger"})
    def state(self, key: ApiKey) -> tuple[str, str]:
        return ("revoked", gettext("revoked")) if key.revoked_at else ("valid", gettext("valid"))

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
