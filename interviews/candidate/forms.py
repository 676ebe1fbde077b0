"""Forms for candidates."""

import hashlib
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


class ConsentForm(forms.Form):
    """Consent to be recorded. Recording cannot start before it.

    The form carries the hash of what its page showed: the text, for how long everything is kept, and whether
    the page notices something. If the recruiter has changed it meanwhile, the page is shown again: what
    counts as agreed to is what was read.
    """

    shown = forms.CharField(required=False, widget=forms.HiddenInput)
    consent = forms.BooleanField(
        label=_("I agree"),
        error_messages={"required": _("Please tick the box to agree, or close this page.")},
    )

    def __init__(
        self, data: Any = None, *, text: str, kept_days: int | None, has_page_facts: bool = False
    ) -> None:
        """text, kept_days: what is to be agreed to now; None: until somebody deletes it."""
        super().__init__(data)
        shown = f"{kept_days}\n{text}" + ("\nwith page facts" if has_page_facts else "")
        self.text_hash = hashlib.sha256(shown.encode()).hexdigest()

    def clean_shown(self) -> str:
        if self.cleaned_data["shown"] != self.text_hash:
            raise ValidationError(_("This text has changed since you opened the page. Please read it again."))
        return self.text_hash

    @property
    def problems(self) -> list[str]:
        """What keeps the candidate from going on. A text that has changed comes first, and alone."""
        return [*self.errors.get("shown", [])] or [*self.errors.get("consent", [])]
