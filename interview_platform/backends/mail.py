"""E-mails by a service that fails as a mail server does: whoever sends need not know which of them it is."""

from collections.abc import Sequence
from typing import Any

from anymail.exceptions import AnymailError
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string


class MailServiceError(OSError):
    """The service did not take an e-mail; its cause is django-anymail's error."""


class MailServiceBackend(BaseEmailBackend):
    """Sends by django-anymail's backend of `settings.MAIL_SERVICE`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._service = import_string(f"anymail.backends.{settings.MAIL_SERVICE}.EmailBackend")(**options)

    def open(self) -> bool | None:
        return self._service.open()

    def close(self) -> None:
        self._service.close()

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Return how many were taken. Raises MailServiceError, which quotes no address."""
        try:
            return self._service.send_messages(email_messages)
        except AnymailError as error:
            raise MailServiceError("The mail service did not take it.") from error
