"""What an interview says around its questions: introduction, closing text, deadline, contact."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from interviews.actions import interviews, mails, sessions, versions
from interviews.actions.errors import WrongState
from interviews.models import Interview, Invitation, Message, Session
from interviews.queries.versions import differences
from tests import factories
from tests.candidate import consent_form
from voice.models import Speech

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

SOON = timedelta(hours=2)


def landing(client, invitation) -> str:
    return client.get(reverse("interviews:landing", args=[invitation.token])).content.decode()


def changed(interview, **fields):
    """The interview's next version, with these fields."""
    return factories.change(interview, **fields)


def test_introduction_is_shown_and_spoken_in_the_interviews_voice(client, interview, invitation):
    changed(interview, introduction="Welcome.\n\n<b>We</b> are glad.")
    assert "&lt;b&gt;We&lt;/b&gt; are glad." in landing(client, invitation)
    assert "<audio" not in landing(client, invitation)

    interviews.request_speech(interview=interview)
    Speech.objects.update(status="ready", storage_name="x")

    name = interviews.speech_name(interview, interview.introduction)
    assert f'src="/speech/{name}.flac"' in landing(client, invitation)


def test_no_introduction_is_no_element(client, invitation):
    assert 'class="introduction"' not in landing(client, invitation)


def test_closing_text_stands_on_the_last_pages(client, interview, invitation, session):
    changed(interview, closing_text="Bis bald!")
    Session.objects.update(definition=interview.published)
    room = reverse("interviews:room", args=[invitation.token])
    assert '"closing_text": "Bis bald!"' in client.get(room).content.decode()

    Session.objects.update(status="finished", finished_at=timezone.now())
    Invitation.objects.update(status="finished")
    assert "Bis bald!" in landing(client, invitation)


def test_the_earlier_of_deadline_and_last_day_is_told_with_its_instant(client, interview, invitation):
    def told(at):
        return f'datetime="{timezone.localtime(at).isoformat()}"'

    deadline = timezone.now() + SOON
    changed(interview, deadline=deadline)
    assert told(deadline) in landing(client, invitation)
    changed(interview, deadline=invitation.expires_at + SOON)
    assert told(invitation.expires_at) in landing(client, invitation)


def test_nobody_begins_after_the_deadline(client, interview, invitation):
    page = landing(client, invitation)
    changed(interview, deadline=timezone.now() - timedelta(seconds=1))
    address = reverse("interviews:landing", args=[invitation.token])

    assert client.post(address, consent_form(page)).status_code == 410
    fresh = Invitation.objects.get()
    with pytest.raises(WrongState):
        sessions.start(invitation=fresh, now=timezone.now())
    assert not Session.objects.exists()
    assert client.get(address).context["problem"] == "expired"


def test_who_has_begun_goes_on_after_the_deadline(client, interview, invitation, session):
    changed(interview, deadline=timezone.now() - timedelta(days=1))
    room = reverse("interviews:room", args=[invitation.token])
    assert client.get(room).status_code == 200
    assert sessions.start(invitation=Invitation.objects.get(), now=timezone.now()) == session


def test_interview_after_its_deadline_is_not_published(interview):
    interview.deadline = timezone.now() - timedelta(days=1)
    interview.save()
    assert versions.problems(interview) == ["Its deadline is over. Choose a later one."]


@pytest.mark.parametrize("kind", ["unknown", "expired", "revoked", "finished"])
def test_contact_of_the_interview_stands_on_pages_of_problems(client, interview, invitation, kind):
    changed(interview, contact_name="Sam", contact_phone="0170 55")
    Session.objects.create(invitation=invitation, status="finished", finished_at=timezone.now())
    Invitation.objects.update(status="pending" if kind == "unknown" else kind)
    token = "nobody" if kind == "unknown" else invitation.token
    page = client.get(reverse("interviews:landing", args=[token])).content.decode()
    assert ("Sam" in page and "tel:017055" in page) == (kind != "unknown")


def test_contact_of_the_interview_goes_before_that_of_the_organisation(client, interview, invitation):
    type(interview.organisation).objects.update(contact_name="Head office")
    assert "Head office" in landing(client, invitation)
    changed(interview, contact_name="Sam")
    page = landing(client, invitation)
    assert "Sam" in page
    assert "Head office" not in page


def test_what_is_said_around_the_questions_is_frozen_copied_and_compared(interview):
    before = versions.written(interview.published)
    later = timezone.now() + SOON
    for name, value in {"introduction": "Welcome.", "deadline": later, "contact_name": "Sam"}.items():
        setattr(interview, name, value)
    interview.save()

    assert versions.written(interview.published) == before
    found = {each.label: each.after for each in differences(before, versions.written(interview))}
    assert found["Introduction"] == "Welcome."
    assert found["Contact"] == "Sam"
    assert ":" in found["Deadline"]
    assert "T" not in found["Deadline"], "as people read it"
    copy = versions.duplicate(interview=interview, by=None, now=timezone.now())
    assert (copy.introduction, copy.deadline, copy.contact_name) == ("Welcome.", later, "Sam")
    assert Interview.objects.get(pk=copy.pk).vocabulary == ""


def test_reminder_comes_before_the_deadline_and_none_after_it(interview, invitation, settings):
    settings.EMAIL_URL = "smtp://mail.example"
    now = timezone.now()
    Message.objects.create(
        invitation=invitation, kind=Message.Kind.INVITATION, status="sent", sent_at=now - timedelta(days=2)
    )
    assert not mails._to_remind(1, now).exists()
    changed(interview, deadline=now + SOON)
    assert mails._to_remind(1, now).exists()
    reminder = Message(invitation=Invitation.objects.get(), kind=Message.Kind.REMINDER)
    assert mails._is_wanted(reminder, now)
    assert not mails._is_wanted(reminder, now + 2 * SOON)
