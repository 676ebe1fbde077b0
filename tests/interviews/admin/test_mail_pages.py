"""The log of e-mails and an organisation's own texts, as a recruiter sees them."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import mails
from interviews.models import MailTemplate, Message
from tests import factories

pytestmark = pytest.mark.usefixtures("clean_redis")

ADD = "admin:interviews_mailtemplate_add"
PREVIEW = "admin:interviews_mailtemplate_preview"


@pytest.fixture(autouse=True)
def recruiter(member, settings):
    settings.EMAIL_URL = "smtp://localhost"
    return member(Membership.Role.RECRUITER)


def text(ours, **fields):
    return {
        "organisation": ours.pk,
        "kind": "invitation",
        "language": "en",
        "subject": "Come, {name}",
        "body": "Hello.\n\n{link}",
        **fields,
    }


def test_new_text_begins_with_the_standard_one(client):
    page = client.get(reverse(ADD)).content.decode()
    assert "invites you to an interview" in page
    assert "{deadline}" in page


def test_text_is_saved(client, ours):
    client.post(reverse(ADD), text(ours))
    assert MailTemplate.objects.get().subject == "Come, {name}"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"body": "Hello."}, "Without {link}"), ({"subject": "Come, {nmae}"}, "{nmae}: nothing is put there")],
)
def test_text_that_would_be_of_no_use_is_refused(client, ours, fields, reason):
    assert reason in client.post(reverse(ADD), text(ours, **fields)).content.decode()
    assert not MailTemplate.objects.exists()


def test_log_shows_a_mail_without_its_link(client, interview):
    invitation = factories.InvitationFactory(interview=interview)
    mails.ask(invitations=[invitation], kind=Message.Kind.INVITATION, by="test", now=timezone.now())
    address = reverse("admin:interviews_message_change", args=[Message.objects.get().pk])
    page = client.get(address).content.decode()
    assert "invites you to an interview" in page
    assert invitation.token not in page


def test_preview_fills_the_text_in_and_escapes_it(client):
    text = {"subject": "For {name}", "body": "<b>{interview}</b>\n\n{link}\n\n{nothing}"}
    page = client.post(reverse(PREVIEW), text).content.decode()
    assert "For Alex Example" in page
    assert "&lt;b&gt;Customer support, first interview&lt;/b&gt;" in page
    assert "/i/…/" in page
    assert "{nothing}" in page


def test_form_of_a_text_asks_for_its_preview(client):
    assert f'hx-post="{reverse(PREVIEW)}"' in client.get(reverse(ADD)).content.decode()


def test_preview_is_not_for_reviewers(client, member):
    member(Membership.Role.REVIEWER)
    assert client.post(reverse(PREVIEW), {"subject": "", "body": ""}).status_code == 403
