"""Candidates in every state, with the secret parts of their links: what the candidate's pages can show."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts import colleagues
from accounts.models import Membership, Organisation
from interviews import tokens
from interviews.actions import open_links, sessions
from interviews.events import snapshots
from interviews.models import Accommodation, Answer, Interview, Invitation, OpenLink, Session
from tests import factories

LANGUAGES = [code for code, _name in settings.LANGUAGES]
UNKNOWN = "nobody-has-this-link"
DAY = timedelta(days=1)
CONTACT = {
    "contact_name": "Maximiliane von Hohenstein",
    "contact_email": "bewerbungen@softwarequalitaetssicherung.example",
    "contact_phone": "+49 30 1234567",
}
TEXTS = {
    "title": "Softwarequalitätssicherungsabteilungsleiterin (befristet, in Teilzeit)",
    "job_title": "Softwarequalitätssicherungsabteilungsleiterin",
    "introduction": "Thank you for your interest.\n\nWe ask everyone the same two questions.",
    "consent_text": "Your answers are recorded.\n\nThe people who hire listen to them, and nobody else.",
    "closing_text": "We write to everyone within a week.",
}


def interview(language: str) -> Interview:
    """Return a published interview of an organisation with a colour of its own."""
    of = factories.OrganisationFactory(name="Northwind Traders", accent_colour="#7c3aed", **CONTACT)
    return factories.InterviewFactory(
        organisation=of, language=language, questions=2, retention_days=90, **TEXTS
    )


def links(interview: Interview) -> dict[str, dict[str, str]]:
    """Return the tokens of links in every state, by the beginning of the address in which they stand."""
    open_link = _open_link(interview)
    application = open_links.apply(
        link=open_link,
        candidate_name="Ada Lovelace",
        candidate_email="ada@example.com",
        now=timezone.now(),
    )
    confirmation = tokens.confirmation(application.pk, until=timezone.now() + DAY)
    return {
        "/i/": {name: row.token for name, row in _invitations(interview).items()} | {"unknown": UNKNOWN},
        "/open/confirm/": {"waiting": confirmation, "used": UNKNOWN},
        "/open/": {
            "open": open_link.token,
            "closed": _open_link(interview, is_open=False).token,
            "unknown": UNKNOWN,
        },
        "/join/": {"open": _colleague(interview.organisation), "unknown": UNKNOWN},
    }


def _invitations(interview: Interview) -> dict[str, Invitation]:
    now = timezone.now()
    of = {"interview": interview, "candidate_name": "Ada Lovelace-Hohenstein"}
    long_ago = now - timedelta(days=settings.ANSWERS_SHOWN_DAYS + 1)
    arranged = factories.InvitationFactory(**of)
    arranged.accommodation = Accommodation.objects.create(
        invitation=arranged, extra_percent=50, is_written=True, has_large_text=True
    )
    arranged.save()
    status = Invitation.Status
    return {
        "pending": factories.InvitationFactory(**of),
        "arranged": arranged,
        "started": _session(of).invitation,
        "expired": factories.InvitationFactory(expires_at=now - DAY, **of),
        "revoked": factories.InvitationFactory(status=status.REVOKED, **of),
        "finished": _session(of, finished=True).invitation,
        "closed": _session(of, finished=True, finished_at=long_ago).invitation,
    }


def _session(of: dict, **fields) -> Session:
    status = Invitation.Status.FINISHED if fields else Invitation.Status.STARTED
    invitation = factories.InvitationFactory(**of, status=status)
    return factories.SessionFactory(invitation=invitation, **fields)


def _open_link(interview: Interview, **fields) -> OpenLink:
    return OpenLink.objects.create(interview=interview, ends_at=timezone.now() + 30 * DAY, **fields)


def _colleague(of: Organisation) -> str:
    by = factories.MembershipFactory(organisation=of, role=Membership.Role.OWNER).user
    row = colleagues.invite(
        organisation=of, email="bea@example.com", role=Membership.Role.REVIEWER, by=by, now=timezone.now()
    )
    return row.plain.rstrip("/").rpartition("/")[2]


def rooms(interview: Interview) -> dict[str, tuple[str, list[dict]]]:
    """Return the token, and what the server sends first, of a candidate at each step of an interview."""
    made = {
        "in line": (_started(interview), [{"type": "waiting", "place": 12, "estimate_s": 340}]),
        "check": (_started(interview), None),
        "practice": (_practising(interview), None),
        "ready": (_under_way(interview), None),
        "asked": (_asked(interview), None),
        "writing": (_asked(interview, is_written=True), None),
        "answered": (_answered(interview), None),
        "finished": (_finished(interview), None),
    }
    return {
        name: (session.invitation.token, sent or [snapshots.snapshot(session)])
        for name, (session, sent) in made.items()
    }


def _started(interview: Interview) -> Session:
    invitation = factories.InvitationFactory(interview=interview, candidate_name="Ada Lovelace-Hohenstein")
    return sessions.start(invitation=invitation, now=timezone.now())


def _practising(interview: Interview) -> Session:
    session = _started(interview)
    sessions.check_devices(session=session, by="test", now=timezone.now())
    return session


def _under_way(interview: Interview) -> Session:
    session = _started(interview)
    sessions.skip_practice(session=session, by="test", now=timezone.now())
    return session


def _asked(interview: Interview, *, is_written: bool = False) -> Session:
    session = _under_way(interview)
    if is_written:
        session.invitation.accommodation = Accommodation.objects.create(
            invitation=session.invitation, is_written=True
        )
        session.invitation.save()
    _questions(session).filter(position=1).update(status=Answer.Status.ASKED, asked_at=timezone.now())
    return session


def _answered(interview: Interview) -> Session:
    """With an answer that can be recorded again."""
    session = _asked(interview)
    recording = factories.RecordingFactory(stored=True)
    factories.TranscriptFactory(recording=recording, done=True)
    _questions(session).filter(position=1).update(
        status=Answer.Status.RECORDED, recording=recording, retakes_left=1, began_at=timezone.now()
    )
    return session


def _finished(interview: Interview) -> Session:
    session = _answered(interview)
    now = timezone.now()
    _questions(session).filter(position=1).update(status=Answer.Status.ACCEPTED, completed_at=now)
    _questions(session).filter(position=2).update(
        status=Answer.Status.ACCEPTED, typed_text="I write.", completed_at=now
    )
    Session.objects.filter(pk=session.pk).update(status=Session.Status.FINISHED, finished_at=now)
    session.refresh_from_db()
    return session


def _questions(session: Session):
    return session.answers.filter(kind=Answer.Kind.QUESTION)
