"""A link that shows no answers any more, and the mail with a new one."""

import json
import logging
import re
from datetime import timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from interviews import jobs, tokens
from interviews.actions import invitations, new_links
from interviews.actions.errors import BadValue, WrongState
from interviews.models import Invitation, Session
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

ADDRESS = "ada@example.com"
BUTTON = "Send me a new link"


@pytest.fixture(autouse=True)
def mail_server(settings):
    settings.EMAIL_URL = "smtp://mail.example.com"


@pytest.fixture
def old(make_invitation, settings):
    """An invitation whose interview was finished just long enough ago, with one answer."""
    return finished(make_invitation(candidate_email=ADDRESS), days_ago=settings.ANSWERS_SHOWN_DAYS)


def finished(invitation: Invitation, *, days_ago: float) -> Invitation:
    finished_at = timezone.now() - timedelta(days=days_ago)
    session = factories.SessionFactory(invitation=invitation, finished=True, finished_at=finished_at)
    factories.AnswerFactory(session=session, accepted=True)
    Invitation.objects.filter(pk=invitation.pk).update(status="finished")
    invitation.refresh_from_db()
    return invitation


def page(client, token: str, name: str = "landing"):
    return client.get(reverse(f"interviews:{name}", args=[token]))


def press(client, token: str):
    return client.post(reverse("interviews:new_link", args=[token]), follow=True)


def sent_link() -> str:
    jobs.send_link(str(Invitation.objects.get().pk))
    return re.search(r"/i/(\S+)/", mail.outbox[-1].body)[1]


@pytest.mark.parametrize("name", ["landing", "room"])
def test_old_link_shows_one_button_and_nothing_else(client, old, name):
    response = page(client, old.token, name)
    shown = response.content.decode()
    assert (response.status_code, response.context["problem"]) == (410, "closed")
    assert shown.count("<button") == 1
    assert BUTTON in shown
    for personal in (ADDRESS, old.candidate_name, old.interview.title):
        assert personal not in shown


def test_link_shows_answers_until_then(client, make_invitation, settings):
    invitation = finished(make_invitation(), days_ago=settings.ANSWERS_SHOWN_DAYS - 0.01)
    assert page(client, invitation.token, "room").status_code == 200
    settings.ANSWERS_SHOWN_DAYS -= 1
    assert page(client, invitation.token, "room").status_code == 410


def test_button_sends_a_link_that_opens_the_room_for_an_hour(client, old, queued, monkeypatch):
    response = press(client, old.token)
    assert "is on its way" in response.content.decode()
    assert BUTTON not in response.content.decode()
    assert len(queued("default")) == 1
    link = sent_link()
    assert mail.outbox[0].to == [ADDRESS]
    assert old.interview.title in mail.outbox[0].subject
    opened = page(client, link, "landing")
    assert opened.url == reverse("interviews:room", args=[link])
    room = client.get(opened.url)
    assert room.status_code == 200
    assert room.context["room"]["websocket_path"] == f"/ws/interviews/{link}/"
    assert room.context["room"]["store"] == old.token, "this device's store of audio has the link's own name"
    later = timezone.now() + timedelta(hours=1, seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert page(client, link, "room").context["problem"] == "closed"
    assert BUTTON in page(client, link).content.decode()


def test_link_is_neither_in_redis_nor_in_the_log(client, old, clean_redis, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    press(client, old.token)
    link = sent_link()
    everything = capfd.readouterr().err + json.dumps(
        [stored(clean_redis, key) for key in clean_redis.keys("*")]
    )
    assert str(old.pk) in everything, "the job names the invitation"
    for secret in (link, old.token, ADDRESS):
        assert secret not in everything
    assert link not in str(Invitation.objects.values().get())


def stored(redis, key) -> str:
    kind = redis.type(key)
    found = redis.hgetall(key) if kind == b"hash" else redis.dump(key)
    return f"{key} {found}"


def test_mail_is_sent_at_most_every_ten_minutes(client, old, queued):
    for _ in range(3):
        press(client, old.token)
    assert len(queued("default")) == 1
    with pytest.raises(WrongState):
        new_links.request_link(invitation=old, by=old, now=timezone.now())
    later = timezone.now() + new_links.REQUEST_EVERY
    new_links.request_link(invitation=old, by=old, now=later)
    assert len(queued("default")) == 2


def test_button_comes_back_when_the_mail_was_not_sent(client, old, monkeypatch, caplog):
    def refuse(*args, **kwargs):
        raise SMTPRecipientsRefused({ADDRESS: (550, b"unknown")})

    press(client, old.token)
    monkeypatch.setattr(new_links, "send_mail", refuse)
    jobs.send_link(str(old.pk))
    assert BUTTON in page(client, old.token).content.decode()
    assert "SMTPRecipientsRefused" in caplog.text
    assert ADDRESS not in caplog.text


@pytest.mark.parametrize("contact", ["", "jobs@example.com"])
@pytest.mark.parametrize("lacking", ["address", "mail server"])
def test_without_mail_the_page_says_whom_to_write_to(client, old, settings, contact, lacking):
    if lacking == "address":
        Invitation.objects.update(candidate_email="")
    else:
        settings.EMAIL_URL = ""
    type(old.interview.organisation).objects.update(contact_email=contact)
    shown = page(client, old.token).content.decode()
    assert BUTTON not in shown
    assert (f'href="mailto:{contact}"' if contact else "reply to your invitation") in shown
    old.refresh_from_db()
    with pytest.raises(BadValue):
        new_links.request_link(invitation=old, by=old, now=timezone.now())


def test_revoked_link_sends_and_opens_nothing(client, old):
    press(client, old.token)
    link = sent_link()
    invitations.revoke(invitation=old, by="test", now=timezone.now())
    for token in (old.token, link):
        assert page(client, token).context["problem"] == "revoked"
        assert page(client, token, "room").context["problem"] == "revoked"
    jobs.send_link(str(old.pk))
    assert len(mail.outbox) == 1


def test_button_of_another_state_changes_nothing(client, make_invitation):
    unused = make_invitation(candidate_email=ADDRESS)
    for token in (unused.token, "nobody-has-this"):
        press(client, token)
    assert not Invitation.objects.exclude(link_requested_at=None).exists()
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "change",
    [lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda t: ("1" if t[0] == "0" else "0") + t[1:]],
)
def test_forged_temporary_link_is_unknown(client, old, change):
    link = tokens.temporary(old.pk, until=timezone.now() + timedelta(hours=1))
    assert page(client, change(link)).context["problem"] == "unknown"


def test_temporary_link_survives_a_change_of_keys_but_not_the_loss(client, old, settings):
    link = tokens.temporary(old.pk, until=timezone.now() + timedelta(hours=1))
    settings.TOKEN_KEYS = ["a-newer-key-of-links-in-these-tests", *settings.TOKEN_KEYS]
    assert page(client, link, "room").status_code == 200
    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    assert page(client, link, "room").status_code == 404
