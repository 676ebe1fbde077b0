"""Look-up of a candidate's link: the invitation, or the problem with the link."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import get_language

from accounts import colours, logos
from accounts.audit import doors
from accounts.models import Organisation
from interviews import tokens
from interviews.models import Invitation, Session
from interviews.models.definition import Definition
from interviews.models.presentation import Contact
from interviews.queries import rows
from interviews.states import InvitationStatus
from interviews.texts import languages


class LinkProblem(Exception):
    """The link cannot be used: `kind` is unknown, expired, revoked, finished or closed.

    closed: finished so long ago that the link shows no answers any more.
    """

    def __init__(self, kind: str, invitation: Invitation | None = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.invitation = invitation


def shows_what_is_held(kind: str) -> bool:
    """Whether a link with this problem still shows its candidate what is held, and erases it.

    One that was revoked may be in the hands of another.
    """
    return kind in (InvitationStatus.FINISHED, InvitationStatus.EXPIRED)


def is_withdrawn(invitation: Invitation | None) -> bool:
    """Whether the link ended because its candidate withdrew the consent."""
    return Session.objects.filter(invitation=invitation, withdrawn_at__isnull=False).exists()


def find_for_data(token: str, *, now: datetime) -> Invitation:
    """Find the invitation of a link that shows its candidate what is held. Raises LinkProblem."""
    try:
        return find(token, now=now)[0]
    except LinkProblem as problem:
        if problem.invitation is None or not shows_what_is_held(problem.kind):
            raise
        return problem.invitation


def find(
    token: str, *, now: datetime, is_finished_welcome: bool = False
) -> tuple[Invitation, Session | None]:
    """Find the invitation of a usable link and the session begun with it. Raises LinkProblem.

    An interview that has begun may be finished after the link's last day. `is_finished_welcome` also allows
    finished interviews, for `ANSWERS_SHOWN_DAYS`: they show the answers, and their browser may still have
    audio to deliver. After these days a temporary link does the same until it ends.
    """
    temporary = tokens.read_temporary(token)
    found = rows.link_of(temporary[0]) if temporary else _link(token)
    if found is None:
        raise LinkProblem("unknown")
    invitation, session = found
    ended = {InvitationStatus.EXPIRED, InvitationStatus.REVOKED, InvitationStatus.FINISHED}
    if invitation.status == InvitationStatus.FINISHED and session is not None:
        if (temporary[1] if temporary else closes_at(session)) <= now:
            raise LinkProblem("closed", invitation)
        if is_finished_welcome:
            ended.remove(InvitationStatus.FINISHED)
    if invitation.status in ended:
        raise LinkProblem(invitation.status, invitation)
    if invitation.status == InvitationStatus.PENDING and invitation.begin_by <= now:
        raise LinkProblem("expired", invitation)
    return invitation, session


def about_candidate(invitation: Invitation) -> None:
    """Say in the audit that the candidate asks, with the own link."""
    candidate, organisation = (
        invitation.set_aside_of_id or invitation.pk,
        invitation.interview.organisation_id,
    )
    doors.about_candidates([candidate], organisation_id=organisation, by=doors.Actor.CANDIDATE)


def look(invitation: Invitation) -> dict[str, object]:
    """Return what every page of this candidate shows.

    {interview, organisation, accent, logo, contact, accommodation, page_language}
    """
    of_interview = look_of_interview(invitation.definition, invitation.interview.organisation)
    return {**of_interview, "accommodation": invitation.accommodation}


def look_of_interview(definition: Definition, organisation: Organisation) -> dict[str, object]:
    """Return what every page about this interview shows: all of `look` but the accommodation."""
    colour = organisation.accent_colour
    return {
        "interview": definition,
        "organisation": organisation,
        "accent": colour and {"light": colours.in_light(colour), "dark": colours.in_dark(colour)},
        "logo": logos.url(organisation),
        "contact": _contact(definition, organisation),
        "page_language": languages.of_pages(definition.language),
    }


def page_language(invitation: Invitation | None) -> str:
    """Return the language of the pages of an invitation. Without one the browser chooses."""
    return languages.of_pages(invitation.definition.language) if invitation else get_language()


def contact(invitation: Invitation) -> Contact | None:
    """Whom the candidate turns to when something goes wrong: of the interview, else of the organisation."""
    return _contact(invitation.definition, invitation.interview.organisation)


def _contact(definition: Definition, of: Organisation) -> Contact | None:
    general = Contact(of.contact_name, of.contact_email, of.contact_phone)
    return definition.contact or (general if any(general) else None)


def closes_at(session: Session) -> datetime:
    """When the link of a finished interview stops showing its answers."""
    assert session.finished_at is not None, "the check constraint of a finished session promises it"
    return session.finished_at + timedelta(days=settings.ANSWERS_SHOWN_DAYS)


def corrected_until(session: Session | None) -> datetime | None:
    """Until when its candidate may say what was heard wrongly; None: not at all, or not yet.

    A temporary link shows the answers for longer, but does not lengthen this.
    """
    if session is None or session.finished_at is None or not session.agreed.is_correcting_allowed:
        return None
    return closes_at(session)


def _link(token: str) -> tuple[Invitation, Session | None] | None:
    return None if "\0" in token else rows.link(token)  # PostgreSQL rejects NUL in text
