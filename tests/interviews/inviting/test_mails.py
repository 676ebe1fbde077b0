"""E-mails to candidates: what they say, how often they are tried, and who gets none."""

import smtplib
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.urls import reverse
from django.utils import timezone

from interviews.actions import erasure, invitations, mails, sessions
from interviews.models import Invitation, MailTemplate, Message
from interviews.queries.invited import did_not_arrive
from interviews.texts.mails import OF_DECISIONS, PLACEHOLDERS, TEXTS, filled, unknown_places
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


@pytest.fixture(autouse=True)
def server(settings):
    settings.EMAIL_URL = "smtp://localhost"
    settings.BASE_URL = "https://interviews.example.org"


@pytest.fixture
def invitation():
    interview = factories.InterviewFactory(questions=2, title="Nurse, first interview")
    return factories.InvitationFactory(interview=interview, candidate_name="Ada <b>Lovelace</b>")


def ask(*rows, kind=Message.Kind.INVITATION, now=None):
    return mails.ask(invitations=rows, kind=kind, by="test", now=now or timezone.now())


def send(message=None, now=None):
    message = message or Message.objects.latest("created_at")
    mails.send(message_id=message.pk, now=now or timezone.now())
    message.refresh_from_db()
    return message


def test_invitation_says_what_it_is_about(invitation):
    ask(invitation)
    message = send()

    assert message.status == Message.Status.SENT
    [sent] = outbox.outbox
    assert sent.to == [invitation.candidate_email]
    assert "Nurse, first interview" in sent.subject
    assert invitation.url in sent.body
    html, kind = sent.alternatives[0]
    assert kind == "text/html"
    assert "<b>Lovelace" not in html
    assert invitation.url in html
    [(name, calendar, of_type)] = sent.attachments
    assert (name, of_type) == ("interview.ics", "text/calendar")
    assert f"DTEND:{invitation.expires_at:%Y%m%dT%H%M%SZ}" in calendar
    assert all(len(line.encode()) <= 75 for line in calendar.split("\r\n"))


@pytest.mark.parametrize(
    ("language", "words"), [("de", "Guten Tag"), ("es", "Hola"), ("fr", "Bonjour"), ("ja", "Hello")]
)
def test_mail_speaks_the_language_of_the_interview(invitation, language, words):
    factories.change(invitation.interview, language=language)
    ask(Invitation.objects.get())
    send()
    assert words in outbox.outbox[0].body


@pytest.mark.parametrize("kind", sorted(set(TEXTS) - set(OF_DECISIONS)))
def test_standard_texts_hold_only_what_is_filled_in(kind):
    for text in TEXTS[kind].values():
        assert not unknown_places(text.subject + text.body)
        assert "{link}" in text.body.split("\n\n")
        assert not unknown_places(filled(text.body, dict.fromkeys(PLACEHOLDERS, "x")))


def test_organisations_own_text_is_sent(invitation):
    MailTemplate.objects.create(
        organisation=invitation.interview.organisation,
        kind="invitation",
        language="en",
        subject="Come, {name}",
        body="See you.\n\n{link}\n\n{nothing}",
    )
    ask(invitation)
    send()
    assert outbox.outbox[0].subject.startswith("Come, Ada")
    assert "{nothing}" in outbox.outbox[0].body


def test_candidate_without_an_address_gets_none(invitation):
    invitation.candidate_email = ""
    assert ask(invitation) == 0


def test_without_a_mail_server_nothing_counts_as_sent(invitation, settings):
    settings.EMAIL_URL = ""
    assert ask(invitation) == 0
    assert not Message.objects.exists()


@pytest.fixture
def refuse(monkeypatch, invitation):
    """Let the mail server refuse the address with this number."""

    def refuse(number):
        def send(*_, **__):
            raise smtplib.SMTPRecipientsRefused({invitation.candidate_email: (number, b"no such user")})

        monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", send)

    return refuse


def test_mail_that_the_server_puts_off_is_tried_again_and_then_fails(invitation, refuse, caplog):
    refuse(450)
    ask(invitation)
    states = [send(now=timezone.now()).status for _ in range(mails.MAX_ATTEMPTS + 1)]

    assert states == ["waiting"] * (mails.MAX_ATTEMPTS - 1) + ["failed"] * 2
    assert Message.objects.get().last_error == "SMTPRecipientsRefused"
    assert invitation.candidate_email not in caplog.text
    assert Message.objects.filter(did_not_arrive(timezone.now())).count() == 1


def test_address_that_the_server_refuses_for_good_is_tried_once(invitation, refuse, caplog):
    refuse(550)
    ask(invitation)
    message = send()
    assert (message.status, message.returned_because) == ("bounced", "refused")
    assert send(message).attempts == 1
    assert invitation.candidate_email not in caplog.text
    assert Message.objects.filter(did_not_arrive(timezone.now())).count() == 1


def test_sent_mail_is_not_sent_again(invitation):
    ask(invitation)
    message = send()
    send(message)
    assert len(outbox.outbox) == 1


def test_mail_to_a_revoked_link_is_dropped(invitation):
    ask(invitation)
    invitations.revoke(invitation=invitation, by="test", now=timezone.now())
    assert send().status == Message.Status.DROPPED
    assert not outbox.outbox


def test_no_link_stands_in_a_table_or_log(invitation, caplog):
    ask(invitation)
    send()
    values = [str(value) for row in Message.objects.values() for value in row.values()]
    assert not any(invitation.token in value for value in [*values, caplog.text])


def remind(invitation, *, days_left, invited_days_ago=5):
    """Let the rule look when so many days are left; return how many reminders there are."""
    now = invitation.expires_at - timedelta(days=days_left)
    Message.objects.update(sent_at=now - timedelta(days=invited_days_ago))
    mails.sweep(now=now)
    return Message.objects.filter(kind="reminder").count()


@pytest.fixture
def invited(invitation):
    ask(invitation)
    send()
    return Invitation.objects.get()


def test_reminders_three_days_and_one_day_before(invited):
    assert [remind(invited, days_left=days) for days in (5, 2.9, 2.5, 1.5, 0.9, 0.5)] == [0, 1, 1, 1, 2, 2]
    message = send(Message.objects.get(days_before=3))
    [_, sent] = outbox.outbox
    assert sent.subject.startswith("Reminder")
    assert sent.extra_headers["List-Unsubscribe"] == f"<{invited.url}reminders/>"
    assert message.status == "sent"


def test_nobody_is_reminded_on_the_day_of_the_invitation(invited):
    assert remind(invited, days_left=2, invited_days_ago=0.5) == 0


def test_whoever_was_not_written_to_is_not_reminded(invitation):
    assert remind(invitation, days_left=2) == 0


def test_nobody_is_reminded_after_the_start(invited):
    assert remind(invited, days_left=2) == 1
    sessions.start(invitation=invited, now=timezone.now())
    assert send(Message.objects.get(kind="reminder")).status == "dropped"
    assert remind(invited, days_left=0.5) == 1


def test_reminders_end_with_one_click(client, invited):
    address = reverse("interviews:reminders", args=[invited.token])
    assert "No more reminders?" in client.get(address).content.decode()
    assert Invitation.objects.get().wants_reminders

    response = client.post(address, {"List-Unsubscribe": "One-Click"})

    assert "no more reminders" in response.content.decode()
    assert remind(Invitation.objects.get(), days_left=2) == 0


def test_unknown_link_ends_nothing(client):
    assert client.post(reverse("interviews:reminders", args=["x" * 43])).status_code == 404


def test_erased_candidate_leaves_no_mail(invited):
    erasure.erase_candidate(invitation=invited, by="test", now=timezone.now())
    assert not Message.objects.exists()
