"""Forms of the pages on which people prove who they are."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from accounts.sign_on import provider

OF_CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": "", "spellcheck": "false"}


class SignInForm(AuthenticationForm):
    """Name and password, of accounts that have one here."""

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        """Refuse an account of the identity provider, once the password was right."""
        super().confirm_login_allowed(user)
        user_: Any = user
        if provider.is_of_provider(user_):
            raise forms.ValidationError(
                _("This account signs in with %(name)s."), params={"name": settings.OIDC_NAME}
            )


class CodeForm(forms.Form):
    """A code of an authenticator app, or a recovery code."""

    code = forms.CharField(label=_("Code"), max_length=32, widget=UnfoldAdminTextInputWidget(attrs=OF_CODE))

    def refuse(self) -> None:
        """Say that the code is wrong."""
        self.add_error("code", _("This code is wrong, was used already, or is too old. Try the next one."))


class PasswordForm(forms.Form):
    """The own password again."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password", "autofocus": ""}),
    )

    def refuse(self) -> None:
        """Say that the password is wrong."""
        self.add_error("password", _("This password is wrong."))
