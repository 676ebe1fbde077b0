"""The form at an open link."""

import unicodedata

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


class ApplicationForm(forms.Form):
    """Name and address of a person who wants the interview."""

    candidate_name = forms.CharField(
        label=_("Your name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    candidate_email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def clean_candidate_name(self) -> str:
        """Refuse what is no name: control characters, and addresses that would stand in our mail."""
        name: str = self.cleaned_data["candidate_name"]
        has_controls = any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name)
        if has_controls or "://" in name or "www." in name.casefold():
            raise ValidationError(_("Please write your name only."))
        return name
