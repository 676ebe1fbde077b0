"""Signals of django-anymail: what the mail service says became of e-mails."""

from collections.abc import Mapping
from typing import Any, Final

from anymail.signals import EventType, RejectReason, tracking
from django.dispatch import receiver
from django.utils import timezone

from interviews.actions import deliveries, mails
from interviews.models import Message

Status, Because = Message.Status, Message.ReturnedBecause
_STATUS: Final = {
    EventType.DELIVERED: Status.DELIVERED,
    EventType.BOUNCED: Status.BOUNCED,
    EventType.REJECTED: Status.BOUNCED,
    EventType.FAILED: Status.BOUNCED,
    EventType.COMPLAINED: Status.COMPLAINED,
}
_BECAUSE: Final = {
    RejectReason.INVALID: Because.INVALID,
    RejectReason.BOUNCED: Because.BOUNCED,
    RejectReason.TIMED_OUT: Because.TIMED_OUT,
    RejectReason.BLOCKED: Because.BLOCKED,
    RejectReason.SPAM: Because.SPAM,
    RejectReason.UNSUBSCRIBED: Because.UNSUBSCRIBED,
}


@receiver(tracking)
def mail_tracked(event: Any, **kwargs: object) -> None:
    """Note what became of an e-mail. What else services tell (opened, clicked, deferred) is not kept."""
    if event.event_type not in _STATUS and event.event_type != EventType.UNSUBSCRIBED:
        return
    if event.event_type == EventType.BOUNCED and _is_passing(event.esp_event):
        return
    metadata = event.metadata if isinstance(event.metadata, Mapping) else {}
    message = deliveries.find(key=metadata.get(mails.KEY), service_id=event.message_id)
    if message is None:
        return
    if event.event_type == EventType.UNSUBSCRIBED:
        mails.end_reminders(invitation=message.invitation)
        return
    status = _STATUS[event.event_type]
    because = "" if status == Status.DELIVERED else _because(event)
    deliveries.record(message=message, status=status, because=because, now=timezone.now())


def _because(event: Any) -> str:
    if event.event_type == EventType.COMPLAINED:
        return Because.SPAM
    return _BECAUSE.get(event.reject_reason, Because.OTHER)


def _is_passing(told: object) -> bool:
    """Whether a bounce is no news: a mailbox was full, or a server away, and the address may be right.

    told: what the service sent. django-anymail gives the same event for bounces that are final.
    """
    match told:
        case (
            {"Type": "SoftBounce"}  # Postmark
            | {"event": "soft_bounce"}  # Brevo, Mandrill
            | {"data": {"type": "soft_bounced"}}  # MailerSend
            | {"bounce": {"bounceType": "Transient"}}  # Amazon SES
            | {"event": "bounce", "hard_bounce": False}  # Mailjet
            | {"event": "bounce", "type": "blocked"}  # SendGrid
        ):
            return True
    return False
