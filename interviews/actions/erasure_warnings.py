"""The e-mail that tells an organisation, once a week at most, how many candidates the clock will erase.

It names no candidate: who they are stands behind its link.
"""

import logging
from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from accounts import access
from accounts.models import WARNED_EVERY, Membership, Organisation, User
from interviews.actions import mails
from interviews.queries import retention
from interviews.texts import languages
from voice.queues import jobs

logger = logging.getLogger(__name__)

JOB = "interviews.jobs.warn_of_erasures"
AT_ONCE = 500
"""Organisations whose e-mails are queued in one go."""
RECIPIENTS = 50
PAGE = "admin:interviews_invitation_changelist"


def sweep(*, now: datetime) -> None:
    """Queue a warning to each organisation that will lose candidates to the clock and got none lately."""
    if not mails.can_send():
        return
    concerned = retention.erased_soon(now).order_by().values("interview__organisation")
    for pk in _due(now).filter(pk__in=concerned).values_list("pk", flat=True)[:AT_ONCE]:
        jobs.enqueue("default", JOB, str(pk), job_id=f"warn-of-erasures-{pk}")


def _due(now: datetime) -> QuerySet[Organisation]:
    return Organisation.objects.filter(Q(warned_at=None) | Q(warned_at__lte=now - WARNED_EVERY))


def warn(*, organisation_id: int, now: datetime) -> int:
    """Send the warning, unless another job did. Return how many got it.

    If the mail server takes none of them, the sweeper queues it again.
    """
    before = Organisation.objects.filter(pk=organisation_id).first()
    coming = retention.erased_soon(now).filter(interview__organisation=organisation_id)
    summary = coming.order_by("erased_at").values_list("erased_at", flat=True)
    first, count = summary.first(), coming.count()
    if before is None or first is None or not _due(now).filter(pk=organisation_id).update(warned_at=now):
        return 0
    context = {"organisation": before.name, "count": count, "first": first}
    sent = sum(_send(person, context) for person in _responsible(coming, organisation_id)[:RECIPIENTS])
    if not sent:
        Organisation.objects.filter(pk=organisation_id, warned_at=now).update(warned_at=before.warned_at)
    logger.info("organisation %s was warned of %d erasures by %d e-mails", organisation_id, count, sent)
    return sent


def _responsible(coming: QuerySet, organisation_id: int) -> QuerySet[User]:
    """Return the owners, and those who wrote the interviews or invited the candidates and still may."""
    active = Membership.objects.filter(organisation=organisation_id, user__is_active=True)
    wrote = coming.order_by().values("interview__created_by")
    invited = coming.order_by().values("created_by")
    colleagues = Q(role__in=access.WRITERS) & (Q(user__in=wrote) | Q(user__in=invited))
    members = active.filter(Q(role__in=access.OWNERS) | colleagues)
    return User.objects.filter(pk__in=members.values("user")).exclude(email="").order_by("pk")


def _send(person: User, context: dict[str, object]) -> bool:
    """Return whether the mail server took it."""
    link = f"{settings.BASE_URL}{reverse(PAGE)}?erased=soon"
    with translation.override(languages.of_pages(person.language)):
        words = {**context, "link": link}
        subject = " ".join(render_to_string("interviews/mail/erased_soon_subject.txt", words).split())
        text = render_to_string("interviews/mail/erased_soon.txt", words)
    try:
        send_mail(subject, text, None, [person.email])
    except OSError as error:  # smtplib's errors, too. They quote the address
        logger.warning("a warning of erasures was not sent (%s)", type(error).__name__)
        return False
    return True
