"""The form at an open link."""

import re
import unicodedata

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

NOT_IN_NAMES = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Nd")
JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))
"""They shape letters of Persian, Sinhala and other names."""
NOT_A_NAME = re.compile(r"[/\\@:]|\w[.\u3002]\w{2,}")
"""Signs of addresses, and a dot inside of words: example.com. "J. R. R." and "J.R.R." have none."""


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
        """Refuse what is no name: our mail to an address that a stranger typed begins with it."""
        name: str = self.cleaned_data["candidate_name"]
        if not _is_name(name):
            raise ValidationError(
                _("Please write your name only: without digits, addresses and signs as / or @.")
            )
        return name


def _is_name(text: str) -> bool:
    """Whether nothing in the text can be an address, a number to call, or a character that is not seen."""
    shown = unicodedata.normalize("NFKC", text.translate(JOINERS))  # a full-width dot is a dot in addresses
    has_unseen = any(unicodedata.category(char) in NOT_IN_NAMES for char in shown)
    return not has_unseen and not NOT_A_NAME.search(shown)
