"""The e-mail that tells an organisation's owners that one of their webhooks was switched off."""

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from accounts.models import Membership, User
from interviews.actions import mails
from interviews.models import WebhookEndpoint
from interviews.texts import languages

logger = logging.getLogger(__name__)


def send(endpoint: WebhookEndpoint, reason: WebhookEndpoint.OffReason) -> None:
    """Send it to each active owner, in the owner's language. A mail that cannot be sent is logged."""
    if not mails.can_send():
        return
    owners = User.objects.filter(
        is_active=True,
        memberships__organisation=endpoint.organisation_id,
        memberships__role=Membership.Role.OWNER,
    ).exclude(email="")
    for owner in owners:
        try:
            _send(endpoint, reason, owner)
        except OSError as error:  # smtplib's errors, too. They quote the address
            logger.warning("webhook %s: the notice was not sent (%s)", endpoint.pk, type(error).__name__)


def _send(endpoint: WebhookEndpoint, reason: WebhookEndpoint.OffReason, owner: User) -> None:
    page = reverse("admin:interviews_webhookendpoint_change", args=[endpoint.pk])
    with translation.override(languages.of_pages(owner.language)):
        context = {"endpoint": endpoint, "reason": reason.label, "link": f"{settings.BASE_URL}{page}"}
        subject = " ".join(render_to_string("interviews/mail/webhook_off_subject.txt", context).split())
        text = render_to_string("interviews/mail/webhook_off.txt", context)
    send_mail(subject, text, None, [owner.email])
