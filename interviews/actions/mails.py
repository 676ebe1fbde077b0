"""E-mails to candidates: asked for by a person or a rule, sent by jobs, and logged.

    mails.ask(invitations=[invitation], kind=Message.Kind.INVITATION, by=user, now=now)

A message that the mail server does not take is tried again for some hours. Its text is made anew each time,
from the interview as it is then. What becomes of it later is told in `interviews.actions.deliveries`.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Least
from django.template.loader import render_to_string
from django.utils import formats, timezone, translation

from accounts import colours
from accounts.models import User
from interviews.actions import deliveries, metrics
from interviews.models import Decision, Invitation, MailTemplate, Message
from interviews.models.question import expected_minutes
from interviews.queries import invited, links
from interviews.texts import calendar, languages, mails
from interviews.texts.mails import MailText
from voice.queues import jobs

logger = logging.getLogger(__name__)

JOB = "interviews.jobs.send_message"
KEY = "message"
"""Under this name a mail service keeps the id of a message, and returns it with what becomes of it."""
MAX_ATTEMPTS = 6
FIRST_RETRY = timedelta(minutes=1)
"""Doubled with each try: the last one is after half an hour."""
AT_ONCE = 500
REMIND_DAYS = (3, 1)
USABLE = {
    Message.Kind.INVITATION: (Invitation.Status.PENDING, Invitation.Status.STARTED),
    Message.Kind.REMINDER: (Invitation.Status.PENDING,),  # never after the start
}
OF_OUTCOME = {
    Decision.Outcome.ADVANCE.value: Message.Kind.ADVANCE,
    Decision.Outcome.REJECT.value: Message.Kind.REJECTION,
}
"""The e-mail that tells a decision. A candidate on hold is told nothing."""


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail as it is sent. html: the same as a page. calendar: a file with the deadline, or empty."""

    subject: str
    text: str
    html: str
    calendar: str


def can_send() -> bool:
    """Whether a mail server is configured."""
    return bool(settings.EMAIL_URL)


@transaction.atomic
def ask(
    *,
    invitations: Sequence[Invitation],
    kind: str,
    by: object,
    now: datetime,
    days_before: int | None = None,
) -> int:
    """Queue an e-mail to each candidate who has an address, and a link that works if it has one.

    Return how many.

    None without a mail server: nothing may count as sent that was not.
    """
    if not can_send():
        return 0
    rows = [
        Message(
            invitation=invitation,
            kind=kind,
            days_before=days_before,
            created_by=by if isinstance(by, User) else None,
            created_at=now,
            retry_at=now + FIRST_RETRY,
        )
        for invitation in invitations
        if invitation.candidate_email and _is_of_use(kind, invitation)
    ]
    made = Message.objects.bulk_create(rows, ignore_conflicts=days_before is not None)
    for message in made:
        queue(message.pk)
    return len(made)


def queue(message_id: UUID) -> None:
    """Queue the job that sends a message."""
    jobs.enqueue("default", JOB, str(message_id), job_id=job_id(message_id))


def job_id(message_id: object) -> str:
    """Return the id of the one job that sends a message."""
    return f"send-message-{message_id}"


def send(*, message_id: UUID, now: datetime) -> None:
    """Send a message that waits. What the mail server does not take waits for the sweeper, or has failed."""
    waiting = Message.objects.filter(pk=message_id, status=Message.Status.WAITING)
    message = waiting.select_related("invitation__interview__organisation").first()
    if message is None or not waiting.filter(attempts=message.attempts).update(
        attempts=F("attempts") + 1, retry_at=now + FIRST_RETRY * 2**message.attempts
    ):
        return
    invitation = message.invitation
    if not _is_wanted(message, now):
        waiting.update(status=Message.Status.DROPPED)
        metrics.MAILS.labels(Message.Status.DROPPED).inc()
        return
    try:
        service_id = _deliver(message, mail_of(message, now=now))
    except OSError as error:  # smtplib's errors, too
        _not_sent(message, error)
    else:
        waiting.update(status=Message.Status.SENT, sent_at=now, last_error="", service_id=service_id)
        metrics.MAILS.labels(Message.Status.SENT).inc()
        logger.info("message %s to invitation %s is sent", message_id, invitation.pk)


def _not_sent(message: Message, error: OSError) -> None:
    """Note why: the error's type, for errors quote the address. What is refused for good is not retried."""
    status, because = Message.Status.WAITING, deliveries.refusal(error)
    name = type(error.__cause__ or error).__name__  # of a service's error, if it is one
    if because:
        status = Message.Status.BOUNCED
    elif message.attempts + 1 >= MAX_ATTEMPTS:
        status = Message.Status.FAILED
    waiting = Message.objects.filter(pk=message.pk, status=Message.Status.WAITING)
    waiting.update(status=status, returned_because=because, last_error=name)
    metrics.MAILS.labels(status).inc()
    logger.warning("message %s was not sent (%s)", message.pk, name)


def _is_of_use(kind: str, invitation: Invitation) -> bool:
    return kind in mails.OF_DECISIONS or invitation.status in USABLE[Message.Kind(kind)]


def _is_wanted(message: Message, now: datetime) -> bool:
    invitation = message.invitation
    if message.kind in mails.OF_DECISIONS:
        decision = Decision.objects.filter(session__invitation=invitation, is_current=True).first()
        return decision is not None and of_decision(decision).filter(pk=message.pk).exists()
    is_reminder = message.kind == Message.Kind.REMINDER
    if is_reminder and not (invitation.wants_reminders and _is_reachable(invitation)):
        return False
    ends_at = invitation.begin_by if invitation.status == Invitation.Status.PENDING else invitation.expires_at
    return _is_of_use(message.kind, invitation) and ends_at > now


def _is_reachable(invitation: Invitation) -> bool:
    return Invitation.objects.filter(~invited.has_returned(), pk=invitation.pk).exists()


def of_decision(decision: Decision) -> QuerySet[Message]:
    """Return the e-mails that tell a current decision: those about one before have told something else."""
    return Message.objects.filter(
        invitation__session=decision.session_id,
        kind=OF_OUTCOME.get(decision.outcome, ""),
        created_at__gte=decision.decided_at,
    )


def mail_of(message: Message, *, now: datetime) -> Mail:
    """Return the e-mail as it would be sent now. Raises UnreadableToken, if the link's key is missing."""
    invitation = message.invitation
    definition = invitation.definition
    organisation = invitation.interview.organisation
    text, language = text_for(organisation.pk, message.kind, definition.language)
    is_decision = message.kind in mails.OF_DECISIONS
    with translation.override(language):
        deadline = timezone.localtime(invitation.begin_by)
        values = {
            "name": invitation.candidate_name,
            "interview": definition.title,
            "organisation": organisation.name,
            "link": "" if is_decision else invitation.url,
            "deadline": f"{formats.date_format(deadline, 'DATETIME_FORMAT')} {deadline:%Z}",
            "minutes": str(expected_minutes(definition.asked)),
            "contact": ", ".join(filter(None, links.contact(invitation) or ())),
        }
        subject = " ".join(mails.filled(text.subject, values).split())
        paragraphs = [part.strip() for part in text.body.split("\n\n") if part.strip()]
        context = {
            "subject": subject,
            "language": language,
            "accent": organisation.accent_colour and colours.in_light(organisation.accent_colour),
            "organisation": organisation.name,
            "paragraphs": [
                {"is_link": part == mails.LINK, "text": mails.filled(part, values)} for part in paragraphs
            ],
            "unsubscribe": reminders_address(invitation) if message.kind == Message.Kind.REMINDER else "",
        }
        return Mail(
            subject=subject,
            text=render_to_string("interviews/mail/message.txt", context),
            html=render_to_string("interviews/mail/message.html", context),
            calendar=""
            if is_decision
            else calendar.deadline_file(
                uid=invitation.pk,
                title=subject,
                deadline=invitation.begin_by,
                link=values["link"],
                now=now,
            ),
        )


def text_for(organisation_id: int, kind: str, language: str) -> tuple[MailText, str]:
    """Return the organisation's text, else the standard one; and the language that it is in."""
    own = MailTemplate.objects.filter(organisation=organisation_id, kind=kind, language=language).first()
    if own:
        return MailText(own.subject, own.body), language
    return mails.standard(kind, language), languages.of_pages(language)


def reminders_address(invitation: Invitation) -> str:
    """Return the address at which a candidate ends reminders, with one click."""
    return f"{invitation.url}reminders/"


def _deliver(message: Message, mail: Mail) -> str:
    """Send it; return the id that a mail service gave it, "" by SMTP."""
    headers = {"Message-ID": f"<{message.pk}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2].strip('>')}>"}
    if message.kind == Message.Kind.REMINDER:  # Source: RFC 8058
        headers["List-Unsubscribe"] = f"<{reminders_address(message.invitation)}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    outgoing = EmailMultiAlternatives(
        mail.subject, mail.text, None, [message.invitation.candidate_email], headers=headers
    )
    outgoing.metadata = {KEY: str(message.pk)}  # type: ignore[attr-defined]  # django-anymail's
    outgoing.attach_alternative(mail.html, "text/html")
    if mail.calendar:
        outgoing.attach("interview.ics", mail.calendar, "text/calendar")
    outgoing.send()
    status = getattr(outgoing, "anymail_status", None)
    given = status.message_id if status else None
    return "" if given is None else str(given)[:200]


def end_reminders(*, invitation: Invitation) -> None:
    """Send this candidate no more reminders."""
    Invitation.objects.filter(pk=invitation.pk).update(wants_reminders=False)


def sweep(*, now: datetime) -> None:
    """Queue what waits without a job, and the reminders that are due."""
    waiting = Message.objects.filter(status=Message.Status.WAITING, retry_at__lte=now).order_by("retry_at")
    for message_id in waiting.values_list("pk", flat=True)[:AT_ONCE]:
        queue(message_id)
    for days in REMIND_DAYS:
        ask(
            invitations=list(_to_remind(days, now)[:AT_ONCE]),
            kind=Message.Kind.REMINDER,
            by="rule",
            now=now,
            days_before=days,
        )


def _to_remind(days: int, now: datetime) -> QuerySet[Invitation]:
    """Return candidates who were invited by e-mail, have not begun, and have so many days left.

    Nobody is reminded on the day of the invitation, nor of two rules at once, nor after one that came back.
    """
    soon = now + timedelta(days=days)
    earlier = [other for other in REMIND_DAYS if other < days]
    reachable = Invitation.objects.filter(~invited.has_returned())
    rows = reachable.annotate(ends_at=Least("expires_at", "interview__published__deadline")).filter(
        status=Invitation.Status.PENDING,
        wants_reminders=True,
        expires_at__gt=now,
        ends_at__lte=soon,
        ends_at__gt=now + timedelta(days=max(earlier, default=0)),
        messages__kind=Message.Kind.INVITATION,
        messages__sent_at__lte=now - timedelta(days=1),
    )
    return rows.exclude(messages__kind=Message.Kind.REMINDER, messages__days_before=days).distinct()
