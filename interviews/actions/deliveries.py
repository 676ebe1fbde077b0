"""What becomes of e-mails after they were sent: the mail service tells it, or a mail server refuses at once.

    deliveries.record(message=deliveries.find(key="…", service_id=""), status=Message.Status.BOUNCED, …)

A candidate whose last e-mail came back is not reminded.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from smtplib import SMTPRecipientsRefused
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q, Value
from django.db.models.functions import Coalesce

from interviews.actions import metrics
from interviews.models import Message

logger = logging.getLogger(__name__)

Status, Because = Message.Status, Message.ReturnedBecause
_AFTER: Final[Mapping[str, tuple[Message.Status, ...]]] = {
    Status.DELIVERED: (Status.WAITING, Status.SENT),
    Status.BOUNCED: (Status.WAITING, Status.SENT, Status.DELIVERED),
    Status.COMPLAINED: (Status.WAITING, Status.SENT, Status.DELIVERED),
}
"""What a status may follow. Events come late, twice, and before the job that sent the e-mail has ended."""
PERMANENT_FROM: Final = 500
"""Replies of a mail server from this number on are final. Source: RFC 5321, 4.2.1."""


def find(*, key: object, service_id: object) -> Message | None:
    """Return the e-mail that an event is about.

    key: its id, as it went with the e-mail. service_id: what the service called it; not all return ours.
    """
    try:
        about = Q(pk=UUID(str(key)))
    except ValueError:
        if not isinstance(service_id, str) or not service_id or "\0" in service_id:
            return None
        about = Q(service_id=service_id)
    return Message.objects.filter(about).first()


def record(*, message: Message, status: str, because: str = "", now: datetime) -> bool:
    """Note what became of an e-mail; return whether that is news.

    status: delivered, bounced or complained. because: a `Message.ReturnedBecause`, or "".
    """
    rows = Message.objects.filter(pk=message.pk, status__in=_AFTER[status], attempts__gt=0)
    is_news = bool(
        rows.update(status=status, returned_because=because, sent_at=Coalesce("sent_at", Value(now)))
    )
    if is_news:
        metrics.MAILS.labels(status).inc()
        logger.info("message %s to invitation %s: %s", message.pk, message.invitation_id, status)
    return is_news


def refusal(error: OSError) -> str:
    """Return why a recipient was refused for good; "" for an error after which it is tried again.

    error: of a mail server, or caused by one of a mail service.
    """
    if isinstance(error, SMTPRecipientsRefused):
        codes = [code for code, _reply in error.recipients.values()]
        return Because.REFUSED if codes and min(codes) >= PERMANENT_FROM else ""
    if settings.MAIL_SERVICE:
        from anymail.exceptions import AnymailRecipientsRefused

        cause = error.__cause__
        if isinstance(cause, AnymailRecipientsRefused):
            status: Any = getattr(cause.email_message, "anymail_status", None)
            return Because.INVALID if status and "invalid" in (status.status or ()) else Because.BLOCKED
    return ""
