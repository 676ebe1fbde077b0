"""Base classes of admin pages for an organisation's rows: roles decide, and other organisations are hidden.

Django's admin checks permissions of a whole model; here they depend on the organisation of a row. Everything
that lists rows (pages, drop-downs, autocompletion, filters, actions) starts from `get_queryset`, so a row of
another organisation is not found instead of forbidden.

Django's admin also filters a list by any column that an address names, with any lookup (`?secret__regex=^A`).
So it tells the content of columns that no page shows. Here an address may name only what the list's own
filters offer.
"""

import contextlib
from collections.abc import Collection
from typing import Any

from django.contrib.admin import models as admin_models
from django.contrib.admin.exceptions import DisallowedModelAdminLookup, DisallowedModelAdminToField
from django.contrib.admin.filters import RelatedFieldListFilter, SimpleListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.sites import AdminSite
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, ValidationError
from django.core.paginator import Paginator
from django.db import DataError, ProgrammingError
from django.db.models import Field, ForeignKey, Model, QuerySet
from django.forms import BooleanField, ModelChoiceField
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

from accounts import access, admin_log
from accounts.audit import doors, subjects
from accounts.audit.visits import KIND
from accounts.large_lists import KeysFirst

OFFERED = 50
"""Rows that a filter offers. Two thousand would take longer than the page, and no person reads so many."""

UNREADABLE = (DataError, ProgrammingError, ValueError, TypeError, IndexError, OverflowError)
"""What a value of a filter raises: a broken expression, a range of one, year 99999999999, 5000 digits."""


class ScopedModelAdmin(ModelAdmin):
    """An admin page of rows that belong to organisations.

    organisation_path: the lookup from a row to its organisation's id, as "interview__organisation_id".
    reading_roles, writing_roles: roles that see the rows, and roles that add, change and delete them.
    when_empty: what a list without rows says: what they are for, and how the first one comes.
    """

    organisation_path = "organisation_id"
    reading_roles: Collection[str] = access.EVERY_ROLE
    writing_roles: Collection[str] = access.WRITERS
    when_empty: Any = ""
    list_fullwidth = True
    list_per_page = 50
    show_full_result_count = False  # a filtered list counts what it shows, and not everything as well
    paginator: type[Paginator] = KeysFirst

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return self.readable(request)

    def readable(self, request: HttpRequest) -> QuerySet:
        """Return the rows that the user may see, without the figures that a list adds to them."""
        return access.scoped(
            super().get_queryset(request), request.user, path=self.organisation_path, roles=self.reading_roles
        )

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Read the list. Raises BadRequest for a filter with a value that no row can be compared with."""
        try:
            return super().get_changelist_instance(request)
        except UNREADABLE as error:
            raise BadRequest("This list cannot be filtered so.") from error

    def writable(self, request: HttpRequest) -> QuerySet:
        """Return the rows that the user may change."""
        return access.scoped(
            super().get_queryset(request), request.user, path=self.organisation_path, roles=self.writing_roles
        )

    def organisation_id_of(self, row: Model) -> int | None:
        """Return the id of a row's organisation."""
        value: Any = row
        for name in self.organisation_path.split("__"):
            value = getattr(value, name)
        return value

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """Show the list. An address that filters by anything else is refused without a traceback."""
        try:
            return super().changelist_view(request, extra_context)
        except (DisallowedModelAdminLookup, DisallowedModelAdminToField) as refusal:
            return HttpResponseBadRequest(str(refusal), content_type="text/plain")

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show or change a row. An address that names it by another column than its key is refused."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DisallowedModelAdminToField as refusal:
            return HttpResponseBadRequest(str(refusal), content_type="text/plain")

    def response_action(
        self, request: HttpRequest, queryset: QuerySet, *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Do something with the chosen rows, and tell the audit which ones they are."""
        name = _action_of(request)
        if subjects.is_personal(self.model):
            function = self.get_actions(request).get(name, (None,))[0]
            chosen = queryset
            if not BooleanField().to_python(request.POST.get("select_across")):
                chosen = queryset.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))
            if function is not None:
                keys = list(chosen.values_list("pk", flat=True))  # the action may take them out of the filter
                rows = self.model._base_manager.filter(pk__in=keys)  # noqa: SLF001  a documented name
                doors.about(rows, kind=getattr(function, KIND, None), door=name)
        return super().response_action(request, queryset, *args, **kwargs)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Whether a list may be filtered like this: only as its filters do."""
        return lookup in self.named_lookups and "\0" not in str(value)

    @cached_property
    def named_lookups(self) -> set[str]:
        """The parameters by which an address may filter the list."""
        classes = [
            item for item in self.list_filter if isinstance(item, type) and issubclass(item, SimpleListFilter)
        ]
        columns = [item for item in self.list_filter if not isinstance(item, type)]
        filters = (item if isinstance(item, str) else item[0] for item in columns)
        return {f"{self._compared(path)}__exact" for path in filters} | {
            str(item.parameter_name) for item in classes
        }

    def _compared(self, path: str) -> str:
        """Return the path of the column that a filter compares: of a relation, its key."""
        field = get_fields_from_path(self.model, path)[-1]
        return f"{path}__{field.target_field.name}" if isinstance(field, ForeignKey) else path

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Whether an address may name a row by this column: only by its key."""
        return to_field == self.opts.pk.name

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access.has_any(request.user, self.reading_roles)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_allowed(request, obj, self.reading_roles)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access.has_any(request.user, self.writing_roles)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_allowed(request, obj, self.writing_roles)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_allowed(request, obj, self.writing_roles)

    def _is_allowed(self, request: HttpRequest, obj: Any, roles: Collection[str]) -> bool:
        if obj is not None and not isinstance(obj, Model):  # unfold passes the id from the URL
            obj = self.get_object(request, obj)
            if obj is None:
                return False
        if obj is None:
            return access.has_any(request.user, roles)
        return access.has_role(request.user, self.organisation_id_of(obj), roles)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return admin_log.record(request.user, [obj], admin_models.ADDITION, message)[0]

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return admin_log.record(request.user, [obj], admin_models.CHANGE, message)[0]

    def log_deletions(self, request: HttpRequest, queryset: QuerySet) -> Any:
        return admin_log.record(request.user, queryset, admin_models.DELETION)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        if "queryset" not in kwargs:
            kwargs["queryset"] = self.choices_for(db_field, request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def choices_for(self, db_field: ForeignKey, request: HttpRequest) -> QuerySet:
        """Return a drop-down's choices: rows that the user may write to. Their model needs a scoped admin."""
        related = self.admin_site.get_model_admin(db_field.remote_field.model)
        assert isinstance(related, ScopedModelAdmin), f"who may choose a {db_field.name} is not decided"
        return access.scoped(
            related.readable(request),
            request.user,
            path=related.organisation_path,
            roles=self.writing_roles,
        )


def _action_of(request: HttpRequest) -> str:
    """Return the name of the action that Django will run: the one at `index`, else the last one.

    Raises BadRequest for several names: no form of ours sends them.
    """
    names = request.POST.getlist("action")
    if len({*names} - {""}) > 1:
        raise BadRequest("One action at a time.")
    index = 0
    with contextlib.suppress(ValueError):
        index = int(request.POST.get("index", 0))
    with contextlib.suppress(IndexError):
        return names[index]
    return names[-1] if names else ""


class ReadOnlyScopedModelAdmin(ScopedModelAdmin):
    """An admin page of rows that only actions write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ScopedRelatedFilter(RelatedFieldListFilter):
    """A changelist filter that offers only rows the user may see: the first of them, and the chosen one.

    The list's search finds the others by their names.
    """

    def field_choices(
        self, field: Field, request: HttpRequest, model_admin: ModelAdmin
    ) -> list[tuple[Any, Any]]:
        assert field.remote_field is not None
        related: Any = model_admin.admin_site.get_model_admin(field.remote_field.model)
        rows = related.readable(request)
        offered = list(rows[:OFFERED])
        if len(offered) == OFFERED and self.lookup_val:
            with contextlib.suppress(ValidationError, *UNREADABLE):
                offered += rows.filter(pk__in=self.lookup_val).exclude(pk__in=[row.pk for row in offered])
        return [(row.pk, str(row)) for row in offered]


class PartOfParent:
    """An inline whose rows have the same permissions as their parent."""

    admin_site: AdminSite
    parent_model: type[Model]

    def _parent(self) -> ModelAdmin:
        return self.admin_site.get_model_admin(self.parent_model)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._parent().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        parent = self._parent()
        return (
            parent.has_add_permission(request) if obj is None else parent.has_change_permission(request, obj)
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)
