"""Forms for candidates."""

from django import forms
from django.utils.translation import gettext_lazy as _


class ConsentForm(forms.Form):
    """Consent to be recorded. Recording cannot start before it."""

    consent = forms.BooleanField(
        label=_("I agree"),
        error_messages={"required": _("Please tick the box to agree, or close this page.")},
    )
