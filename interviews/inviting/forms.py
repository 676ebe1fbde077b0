"""What the forms that invite have in common."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldBooleanSwitchWidget

from interviews.actions import mails
from interviews.actions.errors import ActionRefused


class InvitingForm(forms.Form):
    """Asks whether invitations go out by e-mail; off, with the reason, where there is no mail server."""

    is_mailed = forms.BooleanField(
        label=_("Send by e-mail"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "is_mailed" in self.fields and not mails.can_send():
            field = self.fields["is_mailed"]
            field.disabled, field.initial = True, False
            field.help_text = _("There is no mail server (EMAIL_URL): copy the link.")

    def add_refusal(self, refused: ActionRefused) -> None:
        """Show why an action refused, at the field that its detail names, if the form has that."""
        self.add_error(*refused.at(self.fields))
