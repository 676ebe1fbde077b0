"""Admin pages of people and roles; of organisations in `organisation_admin`, of keys in `key_admin`."""

from typing import Any

from allauth.account import admin as allauth_accounts  # noqa: F401  registers what is taken back below
from allauth.account.models import EmailAddress
from allauth.mfa import admin as allauth_factors  # noqa: F401
from allauth.mfa.models import Authenticator
from allauth.socialaccount import admin as allauth_provider  # noqa: F401
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import ForeignKey, Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import (
    access,
    colleague_admin,  # noqa: F401  registers its page
    key_admin,  # noqa: F401  registers its pages
)
from accounts.models import ApiKey, Membership, Organisation, User
from accounts.organisation_admin import OrganisationAdmin
from accounts.scoped_admin import ScopedModelAdmin, ScopedRelatedFilter
from accounts.sign_on import second_factor, sessions

admin.site.unregister(Group)  # access depends on roles only
# Secrets of second factors, and of whom a provider knows, are shown on no page.
admin.site.unregister([EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken])

AFTER_DEACTIVATION = _(
    "People who leave are deactivated, not deleted: sign-in ends at once, and the history keeps the name. "
    "Personal API keys end with the person. The others belong to the organisation and go on working, so that "
    "connected systems do not stop: revoke those that the person knows."
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
    actions = ["deactivate_selected", "activate_selected", "sign_out_selected", "remove_second_factor"]
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
            ApiKey.objects.valid(timezone.now()).select_related("organisation"),
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
        if names := ", ".join(_going_on(changed)):
            messages.warning(
                request, _("Keys that they made go on working: %s. Revoke those that they know.") % names
            )

    @admin.action(description=_("Activate"), permissions=["change"])
    def activate_selected(self, request: HttpRequest, people: QuerySet) -> None:
        changed = self._set_active(request, people, is_active=True)
        messages.success(request, _("%d people activated: they can sign in again.") % len(changed))

    @admin.action(description=_("Sign out everywhere"), permissions=["change"])
    def sign_out_selected(self, request: HttpRequest, people: QuerySet) -> None:
        allowed = [person for person in people if self.has_change_permission(request, person)]
        count = sum(sessions.end(sessions.of_user(person), by=request.user) for person in allowed)
        for person in allowed:
            self.log_change(request, person, "Signed out everywhere.")
        messages.success(request, _("%d sessions ended.") % count)

    @admin.action(description=_("Remove second factor (it was lost)"), permissions=["change"])
    def remove_second_factor(self, request: HttpRequest, people: QuerySet) -> None:
        others = people.exclude(pk=request.user.pk)
        changed = [person for person in others if self.has_change_permission(request, person)]
        for person in changed:
            second_factor.remove_all(request=request, user=person, by=request.user)
        messages.success(
            request,
            _("%d people sign in without their second factor now, and were signed out.") % len(changed),
        )

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


def _going_on(people: list[Any]) -> list[str]:
    """Return the keys that people made and that do not end with them."""
    return [str(key) for person in people for key in person.valid_keys if not key.is_personal]


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
