"""Open links: one address for a job advertisement, at which people invite themselves.

    open_links.apply(link=link, candidate_name="Ada", candidate_email="ada@example.com", now=now)   # a mail
    open_links.confirm(token=token, now=now)            # the link in it: an invitation, once

Whether an address is known is looked up only after its owner has confirmed it. So what a stranger sees does
not depend on it, nor how long it takes.
"""

import logging
from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from interviews import tokens
from interviews.actions import invitations, mails
from interviews.actions.errors import ActionRefused, BadValue, WrongState
from interviews.models import Application, Interview, Invitation, Message, OpenLink
from interviews.states import InterviewStatus
from interviews.texts import languages
from voice.queues import jobs

logger = logging.getLogger(__name__)

JOB = "interviews.jobs.send_confirmation"
CONFIRM_WITHIN = timedelta(days=1)
"""Then what was typed is deleted."""
MOST_TRIES = 5
NOT_SWEPT = timedelta(minutes=1)
AT_ONCE = 500


class LinkClosed(ActionRefused):
    """No place is left, the last day is over, or the link was switched off."""

    code = "link_closed"


def create(
    *, interview: Interview, places: int, ends_at: datetime, days: int, by: object, now: datetime
) -> OpenLink:
    """Make an open link. Raises BadValue: not published, over, or without a mail server."""
    if not mails.can_send():
        raise BadValue(_("interview: without a mail server (EMAIL_URL) no address can be confirmed."))
    if interview.status != InterviewStatus.PUBLISHED:
        raise BadValue(_("interview: publish it first."))
    if interview.is_over(now):
        raise BadValue(_("interview: its deadline is over. Publish it with a later one, or none."))
    if ends_at <= now:
        raise BadValue(_("ends_at: it lies in the past."))
    return OpenLink.objects.create(
        interview=interview,
        places=places,
        ends_at=ends_at,
        days=days,
        created_by=by if isinstance(by, User) else None,
        created_at=now,
    )


def switch(*, link: OpenLink, is_open: bool, by: object) -> None:
    """Switch a link off or on. Who has an invitation keeps it."""
    OpenLink.objects.filter(pk=link.pk).update(is_open=is_open)
    link.is_open = is_open
    logger.info("open link %s is %s by %s", link.pk, "open" if is_open else "off", getattr(by, "pk", by))


def find(token: str) -> OpenLink | None:
    """Return the open link with this token."""
    rows = OpenLink.objects.select_related("interview__organisation", "interview__published")
    return rows.filter(token_hash__in=tokens.digests(token)).first()


def apply(*, link: OpenLink, candidate_name: str, candidate_email: str, now: datetime) -> Application:
    """Note who asks, and queue the mail that confirms the address.

    Raises:
        LinkClosed: it takes no candidates any more.
    """
    if not mails.can_send() or not link.takes_candidates(now):
        raise LinkClosed("This link takes no candidates any more.")
    application = Application.objects.create(
        open_link=link, candidate_name=candidate_name, candidate_email=candidate_email, created_at=now
    )
    queue(application.pk)
    return application


def queue(application_id: UUID) -> None:
    """Queue the job that sends a confirmation."""
    jobs.enqueue("default", JOB, str(application_id), job_id=f"send-confirmation-{application_id}")


def send_confirmation(*, application_id: UUID, now: datetime) -> None:
    """Send the mail; what fails waits for the sweep. Its link is made here: no queue and no table has it."""
    unsent = Application.objects.filter(pk=application_id, sent_at=None)
    application = _with_interview(application_id)
    if application is None or not unsent.filter(tries=application.tries).update(tries=F("tries") + 1):
        return  # confirmed, deleted, or sent by another job
    try:
        _send(application)
    except OSError as error:  # smtplib's errors, too. They quote the address
        logger.warning("application %s: the mail was not sent (%s)", application_id, type(error).__name__)
    else:
        unsent.update(sent_at=now)


def _send(application: Application) -> None:
    interview = application.open_link.interview
    assert interview.published is not None, "an open link is of a published interview"
    token = tokens.confirmation(application.pk, until=application.created_at + CONFIRM_WITHIN)
    link = f"{settings.BASE_URL}/open/confirm/{tokens.in_link(token)}/"
    with translation.override(languages.of_pages(interview.published.language)):
        context = {"application": application, "interview": interview, "link": link}
        subject = " ".join(render_to_string("interviews/mail/confirm_subject.txt", context).split())
        text = render_to_string("interviews/mail/confirm.txt", context)
    send_mail(subject, text, None, [application.candidate_email])


def waiting(token: str, *, now: datetime) -> Application | None:
    """Return what a confirmation link confirms; None if it was used, has ended or is none."""
    read = tokens.read_confirmation(token)
    if read is None or read[1] <= now:
        return None
    return _with_interview(read[0])


def _with_interview(application_id: UUID) -> Application | None:
    of = ("open_link__interview__organisation", "open_link__interview__published")
    return Application.objects.select_related(*of).filter(pk=application_id).first()


@transaction.atomic
def confirm(*, token: str, now: datetime) -> Invitation:
    """Return the invitation of the person who confirmed the address. The link works once.

    One interview a person: whoever was invited to it before, in whatever way, gets that invitation.

    Raises:
        WrongState: the confirmation was used, or it has ended.
        LinkClosed: meanwhile the last place was taken, or the link was closed. It can be tried again.
    """
    application = waiting(token, now=now)
    if application is None:
        raise WrongState("This confirmation was used, or it has ended.")
    # All confirmations of an interview wait for each other here: the same person may come twice at once.
    # Without a key, so that a row which refers to the interview does not wait, too.
    rows = Interview.objects.select_for_update(of=("self",), no_key=True)
    interview = rows.get(pk=application.open_link.interview_id)
    if not Application.objects.filter(pk=application.pk).delete()[0]:
        raise WrongState("This confirmation was used, or it has ended.")
    known = _invitation_of(interview, application.candidate_email)
    return known or _invite(application, interview, now)


def _invitation_of(interview: Interview, address: str) -> Invitation | None:
    """Return the newest invitation of a person, whatever its state: the revoked find no way back in."""
    rows = Invitation.objects.counted().filter(interview=interview, candidate_email__iexact=address)
    return rows.order_by("-created_at").first()


def _invite(application: Application, interview: Interview, now: datetime) -> Invitation:
    link = application.open_link
    free = OpenLink.objects.filter(pk=link.pk, is_open=True, ends_at__gt=now, taken__lt=F("places"))
    is_closed = interview.status != InterviewStatus.PUBLISHED or interview.is_over(now)
    if is_closed or not free.update(taken=F("taken") + 1):
        raise LinkClosed("This link takes no candidates any more.")
    invitation = invitations.invite(
        interview=interview,
        candidate_name=application.candidate_name,
        candidate_email=application.candidate_email,
        expires_at=now + timedelta(days=link.days),
        by="open link",
        now=now,
    )
    Invitation.objects.filter(pk=invitation.pk).update(open_link=link)
    mails.ask(invitations=[invitation], kind=Message.Kind.INVITATION, by="open link", now=now)
    return invitation


def sweep(*, now: datetime) -> None:
    """Delete what was not confirmed in time, and queue the mails that were not sent."""
    Application.objects.filter(created_at__lte=now - CONFIRM_WITHIN).delete()
    unsent = Application.objects.filter(sent_at=None, tries__lt=MOST_TRIES, created_at__lte=now - NOT_SWEPT)
    for application_id in unsent.order_by("created_at").values_list("pk", flat=True)[:AT_ONCE]:
        queue(application_id)


def rotate_keys() -> Counter[str]:
    """Write every open link anew with the newest of `TOKEN_KEYS`; see `invitations.rotate_keys`."""
    return Counter(map(_rotate, OpenLink.objects.iterator()))


def _rotate(link: OpenLink) -> str:
    try:
        token = link.token
    except tokens.UnreadableToken:
        return "unreadable"
    if bytes(link.token_hash) == tokens.digest(token):
        return "current"
    OpenLink.objects.filter(pk=link.pk).update(
        token_hash=tokens.digest(token), token_encrypted=tokens.encrypt(token)
    )
    return "written"
