"""New links for candidates whose own link does not show their answers any more."""

import logging
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import translation

from interviews.actions.errors import BadValue, WrongState
from interviews.models import Invitation
from interviews.texts import languages
from voice.queues import jobs

logger = logging.getLogger(__name__)

VALID_FOR = timedelta(hours=1)
REQUEST_EVERY = timedelta(minutes=10)
"""So that the holder of an old link cannot fill a mailbox."""

Offer = Literal["button", "sent", "contact"]


def offer(invitation: Invitation, *, now: datetime) -> Offer:
    """Return what the candidate can do: press a button, look for a mail, or write to a person."""
    if not invitation.candidate_email or not settings.EMAIL_URL:
        return "contact"
    asked_at = invitation.link_requested_at
    return "sent" if asked_at and asked_at > now - REQUEST_EVERY else "button"


@transaction.atomic
def request_link(*, invitation: Invitation, by: object, now: datetime) -> None:
    """Queue a mail with a new link to the invitation's address.

    Raises:
        BadValue: there is no address, or the platform sends no mail.
        WrongState: a mail was requested within the last ten minutes, or the interview is not finished.
    """
    if offer(invitation, now=now) == "contact":
        raise BadValue("candidate_email: no mail can be sent to this candidate.")
    is_due = Q(link_requested_at__isnull=True) | Q(link_requested_at__lte=now - REQUEST_EVERY)
    finished = Invitation.objects.filter(pk=invitation.pk, status=Invitation.Status.FINISHED)
    if not finished.filter(is_due).update(link_requested_at=now):
        raise WrongState("A new link was sent a moment ago, or the interview is not finished.")
    logger.info("invitation %s: a new link is requested by %s", invitation.pk, getattr(by, "pk", by))
    jobs.enqueue("default", "interviews.jobs.send_link", str(invitation.pk))


def send_link(*, invitation_id: UUID, now: datetime) -> None:
    """Send the mail. Only here the link is made: it is in no queue and no table.

    If the mail server fails, the candidate can press the button again.
    """
    finished = Invitation.objects.filter(pk=invitation_id, status=Invitation.Status.FINISHED)
    invitation = finished.select_related("interview__organisation").first()
    if invitation is None or not invitation.candidate_email:
        return  # revoked or erased in the meantime
    try:
        _send(invitation, invitation.temporary_url(until=now + VALID_FOR))
    except OSError as error:  # smtplib's errors, too. They quote the address
        finished.update(link_requested_at=None)
        logger.warning("invitation %s: the mail was not sent (%s)", invitation_id, type(error).__name__)


def _send(invitation: Invitation, link: str) -> None:
    definition = invitation.definition
    context = {"invitation": invitation, "interview": definition, "link": link}
    with translation.override(languages.of_pages(definition.language)):
        subject = " ".join(render_to_string("interviews/mail/new_link_subject.txt", context).split())
        text = render_to_string("interviews/mail/new_link.txt", context)
    send_mail(subject, text, None, [invitation.candidate_email])
