"""What a mail service tells of e-mails: taken with its secret only, and shown where people invite."""

import json
import smtplib
from base64 import b64encode
from datetime import timedelta

import pytest
from anymail.exceptions import AnymailAPIError
from anymail.message import AnymailRecipientStatus
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from django.core import mail as outbox
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Membership
from interviews.actions import deliveries, mails
from interviews.models import Message
from interviews.queries import invited
from tests import factories
from tests.staff import member, ours, theirs  # noqa: F401

SECRET = "service:of the mails"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


@pytest.fixture(autouse=True)
def service(settings):
    settings.EMAIL_URL, settings.MAIL_SERVICE = "anymail+postmark://", "postmark"
    settings.EMAIL_BACKEND = "anymail.backends.test.EmailBackend"
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}


@pytest.fixture
def message(ours):  # noqa: F811
    invitation = factories.InvitationFactory(interview__organisation=ours, interview__questions=2)
    mails.ask(invitations=[invitation], kind=Message.Kind.INVITATION, by="test", now=timezone.now())
    message = Message.objects.get()
    mails.send(message_id=message.pk, now=timezone.now())
    return Message.objects.get()


def post(client, body, secret=SECRET):
    sent = body if isinstance(body, (str, bytes)) else json.dumps(body)
    authorization = {"Authorization": f"Basic {b64encode(secret.encode()).decode()}"} if secret else {}
    address = reverse("interviews:mail_events")
    return client.post(address, sent, content_type="application/json", headers=authorization)


def event(message, record="Bounce", **fields):
    """What Postmark sends."""
    return {"RecordType": record, "Metadata": {mails.KEY: str(message.pk)}, "MessageID": "m-1", **fields}


HARD = {"Type": "HardBounce", "Email": "ada@example.com", "Description": "<b>ada@example.com</b> is unknown"}


def test_message_goes_with_its_id(message):
    [sent] = outbox.outbox
    assert sent.anymail_test_params["metadata"] == {mails.KEY: str(message.pk)}
    assert message.status == "sent"


@pytest.mark.parametrize(
    ("fields", "status", "because"),
    [
        ({"record": "Delivery"}, "delivered", ""),
        ({"record": "Bounce", **HARD}, "bounced", "bounced"),
        ({"record": "Bounce", "Type": "BadEmailAddress"}, "bounced", "invalid"),
        ({"record": "SpamComplaint", "Type": "SpamComplaint"}, "complained", "spam"),
        ({"record": "Bounce", "Type": "Transient"}, "sent", ""),
        ({"record": "Bounce", "Type": "SoftBounce"}, "sent", ""),
        ({"record": "Open"}, "sent", ""),
    ],
)
def test_event_says_what_became_of_it(client, message, fields, status, because):
    assert post(client, event(message, **fields)).status_code == 200
    message.refresh_from_db()
    assert (message.status, message.returned_because) == (status, because)
    assert "ada@example.com" not in str(Message.objects.values())


PASSING = {
    "postmark": {"Type": "SoftBounce"},
    "brevo": {"event": "soft_bounce", "email": "ada@example.com"},
    "mandrill": {"event": "soft_bounce", "msg": {"bounce_description": "mailbox_full"}},
    "mailersend": {"type": "activity.soft_bounced", "data": {"type": "soft_bounced"}},
    "amazon_ses": {"bounce": {"bounceType": "Transient", "bounceSubType": "MailboxFull"}},
    "mailjet": {"event": "bounce", "hard_bounce": False},
    "sendgrid": {"event": "bounce", "type": "blocked"},
}
FINAL = {
    "postmark": HARD,
    "brevo": {"event": "hard_bounce", "email": "ada@example.com"},
    "mandrill": {"event": "hard_bounce", "msg": {"bounce_description": "bad_mailbox"}},
    "mailersend": {"type": "activity.hard_bounced", "data": {"type": "hard_bounced"}},
    "amazon_ses": {"bounce": {"bounceType": "Permanent", "bounceSubType": "General"}},
    "mailjet": {"event": "bounce", "hard_bounce": True},
    "sendgrid": {"event": "bounce", "type": "bounce"},
    "odd": ["bounce", None],
}


def tell_bounce(message, told):
    """As django-anymail does, which gives the same event for bounces of both kinds."""
    event = AnymailTrackingEvent(
        event_type=EventType.BOUNCED,
        esp_event=told,
        metadata={mails.KEY: str(message.pk)},
        reject_reason=RejectReason.BOUNCED,
    )
    tracking.send(sender=None, event=event, esp_name="")


@pytest.mark.parametrize("told", PASSING.values(), ids=PASSING)
def test_bounce_that_may_pass_is_no_news(message, told):
    tell_bounce(message, told)
    message.refresh_from_db()
    assert (message.status, message.returned_because) == ("sent", "")


@pytest.mark.parametrize("told", FINAL.values(), ids=FINAL)
def test_bounce_that_is_final_is_kept(message, told):
    tell_bounce(message, told)
    assert Message.objects.get().status == "bounced"


def test_bounce_that_may_pass_is_known_by_what_a_service_sends(client, message, settings):
    settings.MAIL_SERVICE = "brevo"
    told = {"event": "soft_bounce", "X-Mailin-custom": json.dumps({mails.KEY: str(message.pk)})}
    assert post(client, told).status_code == 200
    assert Message.objects.get().status == "sent"
    assert post(client, told | {"event": "hard_bounce"}).status_code == 200
    assert Message.objects.get().status == "bounced"


def test_message_is_found_by_the_id_that_the_service_gave_it(client, message):
    Message.objects.update(service_id="m-7")
    post(client, {"RecordType": "Bounce", "MessageID": "m-7", **HARD})
    assert Message.objects.get().status == "bounced"


def test_late_event_changes_nothing(client, message):
    post(client, event(message, **HARD))
    post(client, event(message, record="Delivery"))
    assert Message.objects.get().status == "bounced"
    assert not deliveries.record(message=message, status="bounced", now=timezone.now())


def test_event_before_the_job_has_ended_is_kept(message):
    Message.objects.update(status="waiting", sent_at=None)
    assert deliveries.record(message=message, status="delivered", now=timezone.now())
    assert Message.objects.get().sent_at


def test_person_who_unsubscribes_at_the_service_is_not_reminded(client, message):
    fields = {"SuppressSending": True, "SuppressionReason": "ManualSuppression"}
    post(client, event(message, record="SubscriptionChange", **fields))
    message.invitation.refresh_from_db()
    assert not message.invitation.wants_reminders


@pytest.mark.parametrize("secret", ["", "service:guessed", "service"])
def test_event_without_the_secret_is_refused_unread(client, message, secret, monkeypatch):
    monkeypatch.setattr("anymail.webhooks.postmark.json.loads", lambda text: pytest.fail("it was read"))
    assert post(client, event(message, **HARD), secret).status_code == 403
    assert Message.objects.get().status == "sent"


@pytest.mark.parametrize("name", ["MAIL_SERVICE", "ANYMAIL"])
def test_address_is_closed_without_a_service_or_a_secret(client, message, settings, name):
    setattr(settings, name, {} if name == "ANYMAIL" else "")
    assert post(client, event(message, **HARD)).status_code == 403
    assert post(client, event(message, **HARD), "").status_code == 403


def test_service_may_look_whether_there_is_such_an_address(client):
    assert client.head(reverse("interviews:mail_events")).status_code == 200


@pytest.mark.parametrize("name", ["mandrill", "postmark", "sparkpost"])
def test_every_service_is_heard(client, settings, name):
    """Each refuses the wrong secret in its own view."""
    settings.MAIL_SERVICE, settings.ANYMAIL = name, settings.ANYMAIL | {"MANDRILL_WEBHOOK_KEY": "key"}
    assert post(client, {}, "service:guessed").status_code == 403


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["RecordType", "Type", "Metadata", "message", "MessageID", "DeliveredAt", "Tag"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=JSON.map(json.dumps) | st.binary(max_size=20))
def test_odd_body_is_no_failure(client, message, body):
    assert post(client, body).status_code in (200, 400)


def test_bounce_ends_reminders_until_another_mail_arrives(client, message):
    invitation = message.invitation
    now = invitation.expires_at - timedelta(days=2)
    Message.objects.update(sent_at=now - timedelta(days=5))
    post(client, event(message, **HARD))
    mails.sweep(now=now)
    assert not Message.objects.filter(kind="reminder").exists()

    mails.ask(invitations=[invitation], kind="invitation", by="test", now=timezone.now())
    again = Message.objects.get(status="waiting")
    mails.send(message_id=again.pk, now=timezone.now())
    mails.sweep(now=now)
    assert Message.objects.filter(kind="reminder").count() == 1


def test_reminder_that_waits_is_dropped_after_a_bounce(message):
    mails.ask(invitations=[message.invitation], kind="reminder", by="rule", now=timezone.now(), days_before=3)
    deliveries.record(message=message, status="bounced", because="bounced", now=timezone.now())
    reminder = Message.objects.get(kind="reminder")
    mails.send(message_id=reminder.pk, now=timezone.now())
    reminder.refresh_from_db()
    assert reminder.status == "dropped"


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ("invalid", ("bounced", "invalid", "AnymailRecipientsRefused")),
        ("rejected", ("bounced", "blocked", "AnymailRecipientsRefused")),
        (None, ("waiting", "", "AnymailAPIError")),
    ],
)
def test_service_that_refuses_the_address_is_not_asked_again(ours, monkeypatch, settings, status, wanted):  # noqa: F811
    def refuse(backend, _response, payload, _message):
        if status is None:
            raise AnymailAPIError
        return {each: AnymailRecipientStatus(None, status) for each in payload.recipient_emails}

    settings.MAIL_SERVICE = "test"
    settings.EMAIL_BACKEND = "interview_platform.backends.mail.MailServiceBackend"
    invitation = factories.InvitationFactory(interview__organisation=ours, interview__questions=2)
    mails.ask(invitations=[invitation], kind="invitation", by="test", now=timezone.now())
    monkeypatch.setattr("anymail.backends.test.EmailBackend.parse_recipient_status", refuse)
    mails.send(message_id=Message.objects.get().pk, now=timezone.now())
    message = Message.objects.get()
    assert (message.status, message.returned_because, message.last_error) == wanted


@pytest.mark.parametrize(
    ("error", "because"),
    [
        (smtplib.SMTPRecipientsRefused({"a@b.c": (550, b"")}), "refused"),
        (smtplib.SMTPRecipientsRefused({"a@b.c": (450, b"")}), ""),
        (smtplib.SMTPRecipientsRefused({}), ""),
        (ConnectionRefusedError(), ""),
    ],
)
def test_refusal_for_good_is_told_from_others(error, because):
    assert deliveries.refusal(error) == because


def test_recruiter_sees_which_mails_came_back_and_why(client, message, member):  # noqa: F811
    member(Membership.Role.RECRUITER)
    post(client, event(message, **HARD))
    reason = "The address does not exist, or its mailbox is full."
    pages = [
        reverse("admin:interviews_invitation_change", args=[message.invitation_id]),
        reverse("admin:interviews_message_change", args=[message.pk]),
        reverse("admin:interviews_message_changelist") + "?status__exact=bounced",
    ]
    assert all(reason in client.get(page).content.decode() for page in pages)
    listed = reverse("admin:interviews_invitation_changelist") + "?mail=returned"
    assert message.invitation.candidate_name in client.get(listed).content.decode()
    Message.objects.update(status="delivered")
    assert message.invitation.candidate_name not in client.get(listed).content.decode()


def test_candidate_does_not_tell_of_a_decision_whose_mail_came_back(client, message, member):  # noqa: F811
    member(Membership.Role.RECRUITER)
    page = reverse("admin:interviews_invitation_change", args=[message.invitation_id])
    assert "last e-mail" in client.get(page).content.decode().lower()
    Message.objects.update(kind="rejection", status="bounced", returned_because="bounced")
    assert "last e-mail" not in client.get(page).content.decode().lower()
    assert not type(message.invitation).objects.filter(invited.has_returned()).exists()
