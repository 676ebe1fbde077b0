"""Forms of new rows carry the organisation that they were opened for.

Who works in several organisations may choose another one in a further tab. What was written for the first one
must not be saved in the second.
"""

from typing import Any

from django import forms
from django.db.models import Field
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.scoped_admin import ScopedModelAdmin

OPENED_FOR_ANOTHER = _(
    "This form was opened for another organisation than the one you work in now, so it was not saved. "
    "Choose that organisation in your profile, then save again."
)


class CarriedOrganisationForm(forms.ModelForm):
    """A form whose field `organisation` may be hidden: what is wrong with it stands above the form."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.has_error("organisation") and self.fields["organisation"].widget.is_hidden:
            self.add_error(None, OPENED_FOR_ANOTHER)
        return cleaned


class CarriedOrganisationAdmin(ScopedModelAdmin):
    """An admin whose form has the field `organisation`, hidden where the user writes to one only."""

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "organisation" and len(only := list(field.queryset[:2])) == 1:
            field.initial, field.widget = only[0].pk, forms.HiddenInput()
            field.required = False  # a program that posts the form may leave it out
        return field
