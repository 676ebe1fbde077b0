import pytest
from django.core.management import call_command
from django.urls import reverse

from accounts.models import Membership
from interviews.actions import outbox
from interviews.models import EventType, WebhookDelivery, WebhookEndpoint
from interviews.webhooks import delivery
from tests import factories
from tests.staff import member, ours, theirs  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

ADD = reverse("admin:interviews_webhookendpoint_add")


@pytest.fixture
def interview(ours):  # noqa: F811
    return factories.InterviewFactory(organisation=ours, questions=1)


def act(client, endpoint, name):
    address = reverse(f"admin:interviews_webhookendpoint_{name}", args=[endpoint.pk])
    return client.post(address, {"_form_submitted": "on"})


def test_owner_adds_a_webhook_and_sees_its_secret(client, member, ours):  # noqa: F811
    member(Membership.Role.OWNER)
    form = {"organisation": ours.pk, "url": "https://example.com/hook", "events": ["decision.made"]}

    client.post(ADD, form)

    endpoint = WebhookEndpoint.objects.get()
    page = client.get(reverse("admin:interviews_webhookendpoint_change", args=[endpoint.pk])).content.decode()
    assert endpoint.secret in page
    assert endpoint.secret.encode() not in bytes(endpoint.secret_encrypted)


def test_bad_address_is_refused_at_its_field(client, member, ours):  # noqa: F811
    member(Membership.Role.OWNER)
    response = client.post(
        ADD, {"organisation": ours.pk, "url": "http://example.com", "events": ["decision.made"]}
    )
    assert "It has to begin with https" in response.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_owner_changes_switches_and_renews(client, member, add):  # noqa: F811
    member(Membership.Role.OWNER)
    endpoint = add()
    secret = endpoint.secret
    change = reverse("admin:interviews_webhookendpoint_change", args=[endpoint.pk])
    client.post(change, {"url": endpoint.url, "description": "Our system", "events": ["decision.made"]})
    act(client, endpoint, "renew_secret")
    act(client, endpoint, "switch_off")
    endpoint.refresh_from_db()
    assert (endpoint.description, endpoint.events) == ("Our system", ["decision.made"])
    assert endpoint.off_reason == "by_hand"
    assert endpoint.secret != secret
    act(client, endpoint, "switch_on")
    endpoint.refresh_from_db()
    assert endpoint.is_on


def test_test_event_is_seen_in_the_log_and_sent_again(client, member, add, receiver):  # noqa: F811
    member(Membership.Role.OWNER)
    endpoint = add()
    asked = client.get(reverse("admin:interviews_webhookendpoint_send_test", args=[endpoint.pk]))
    assert asked.status_code == 200
    assert not WebhookDelivery.objects.exists(), "looking at the dialog sends nothing"
    log = client.get(act(client, endpoint, "send_test")["HX-Redirect"])
    assert "webhook.test" in log.content.decode()
    delivery.deliver(endpoint_id=endpoint.pk)
    row = WebhookDelivery.objects.get()
    page = client.get(reverse("admin:interviews_webhookdelivery_change", args=[row.pk])).content.decode()
    assert "204" in page
    again = reverse("admin:interviews_webhookdelivery_send_again", args=[row.pk])
    client.post(again, {"_form_submitted": "on"})
    delivery.deliver(endpoint_id=endpoint.pk)
    assert receiver.types() == ["webhook.test", "webhook.test"]


@pytest.mark.parametrize("role", [Membership.Role.RECRUITER, Membership.Role.REVIEWER])
def test_webhooks_are_the_owners_business(client, member, add, role):  # noqa: F811
    endpoint = add()
    member(role)
    for page in (ADD, reverse("admin:interviews_webhookendpoint_change", args=[endpoint.pk])):
        assert client.get(page).status_code in (302, 403)


def test_secret_of_another_organisation_is_not_found(client, member, add, theirs):  # noqa: F811
    endpoint = add()
    factories.MembershipFactory(organisation=theirs, role=Membership.Role.OWNER)
    outbox.tell_test(endpoint, now=endpoint.created_at)
    client.force_login(theirs.users.get())
    pages = [
        reverse("admin:interviews_webhookendpoint_change", args=[endpoint.pk]),
        reverse("admin:interviews_webhookdelivery_change", args=[WebhookDelivery.objects.get().pk]),
    ]
    assert all(client.get(page).status_code == 302 for page in pages)
    log = client.get(reverse("admin:interviews_webhookdelivery_changelist"))
    assert EventType.TEST not in log.content.decode()


def test_copy_of_the_platform_switches_every_webhook_off(add):
    endpoint, gone = add(), add()
    WebhookEndpoint.objects.filter(pk=gone.pk).update(off_reason="gone")

    call_command("switch_webhooks_off")

    assert WebhookEndpoint.objects.get(pk=endpoint.pk).off_reason == "by_hand"
    assert WebhookEndpoint.objects.get(pk=gone.pk).off_reason == "gone"
