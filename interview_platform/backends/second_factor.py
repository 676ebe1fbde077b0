"""How django-allauth keeps second factors here: secrets are encrypted with `TOKEN_KEYS`, as links are."""

from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from interviews import tokens


class SecondFactors(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return tokens.encrypt(text).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return tokens.decrypt(encrypted_text.encode())

    def get_totp_issuer(self) -> str:
        return f"{settings.UNFOLD['SITE_HEADER']} ({urlsplit(settings.BASE_URL).hostname})"

    def _get_user_identifier(self, user: Any) -> str:
        return user.get_username()
