"""Passkeys: signing in, or proving it again, with a key of a device that knows its user by finger or PIN.

django-allauth and fido2 check them. The challenge is kept in the session and used once. Only keys are made
that verify their user, so a passkey is both factors at once. Source: Web Authentication Level 3, section 7.
"""

import json
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from fido2.utils import websafe_decode

from accounts.models import User
from accounts.sign_on import second_factor

LONGEST_NAME = 60
MOST = 20
"""Passkeys of one person."""


class NotAccepted(Exception):
    """No passkey of anybody who may sign in, for this site and this challenge."""


def of_user(user: User) -> list[Authenticator]:
    """Return the user's passkeys, oldest first."""
    return list(Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).order_by("pk"))


def creation_options(user: User) -> dict[str, Any]:
    """Return what the browser needs to make a passkey."""
    return auth.begin_registration(user, passwordless=True)


def request_options() -> dict[str, Any]:
    """Return what the browser needs to show a passkey; whose is found by the key itself."""
    return auth.begin_authentication(None)


def add(*, request: HttpRequest, user: User, name: str, written: str) -> Authenticator:
    """Add the passkey that the browser has made. Raises NotAccepted."""
    credential = _read(request, written)
    try:
        auth.parse_registration_response(credential)
        auth.complete_registration(credential)
    except (ValidationError, ValueError, TypeError, KeyError) as error:
        raise NotAccepted from error
    finally:
        auth.clear_state()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if len(of_user(user)) >= MOST:
            raise NotAccepted
        row = auth.WebAuthn.add(user, name.strip()[:LONGEST_NAME] or "Passkey", credential).instance
        second_factor.added(request=request, user=user, row=row)
    return row


def check(*, request: HttpRequest, written: str) -> tuple[User, Authenticator]:
    """Return whose passkey this is. Raises NotAccepted."""
    credential = _read(request, written)
    try:
        user: Any = auth.extract_user_from_response(credential)
        row = auth.complete_authentication(user, credential)
    except (ValidationError, ValueError, TypeError, KeyError) as error:
        raise NotAccepted from error
    finally:
        auth.clear_state()
    if not (user.is_active and user.is_staff):
        raise NotAccepted
    return user, row


def _read(request: HttpRequest, written: str) -> dict[str, Any]:
    """Return a credential that a page of this very site asked for. Raises NotAccepted."""
    try:
        credential = json.loads(written)
        said = json.loads(websafe_decode(credential["response"]["clientDataJSON"]))
        origin = said["origin"]
    except (ValueError, TypeError, KeyError) as error:
        raise NotAccepted from error
    if origin != f"{request.scheme}://{request.get_host()}":
        raise NotAccepted
    return credential
