"""Webhooks by REST: what an owner does in the admin, with the same actions."""

import pytest

from accounts.models import ApiKey
from interviews.models import WebhookDelivery, WebhookEndpoint
from interviews.webhooks import delivery
from tests import factories
from tests.interviews.api.conftest import calling  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
Scope = ApiKey.Scope
WANTED = {"url": "https://ats.example/hook", "events": ["decision.made"]}


@pytest.fixture
def api(calling, interview):  # noqa: F811
    return calling(interview.organisation)


@pytest.fixture
def foreign(calling):  # noqa: F811
    return calling(factories.OrganisationFactory())


def test_secret_is_told_once_and_once_more_when_it_is_renewed(api):
    status, made = api("post", "/webhooks", WANTED)
    path = f"/webhooks/{made['id']}"
    _status, read = api("get", path)
    _status, listed = api("get", "/webhooks")
    _status, renewed = api("post", f"{path}/secret")

    endpoint = WebhookEndpoint.objects.get()
    assert status == 201
    assert made["secret"] != renewed["secret"] == endpoint.secret
    assert "secret" not in read
    assert listed["items"] == [read]
    assert renewed["earlier_secret_until"] is not None
    assert endpoint.created_by is None


def test_webhook_is_changed_switched_and_deleted(api):
    path = f"/webhooks/{api('post', '/webhooks', WANTED)[1]['id']}"

    _status, changed = api("patch", path, {"description": "Ours", "is_on": False})
    assert (changed["description"], changed["is_on"], changed["off_reason"]) == ("Ours", False, "by_hand")
    assert (changed["url"], changed["events"]) == (WANTED["url"], WANTED["events"])
    assert api("patch", path, {"is_on": True})[1]["is_on"]

    assert api("delete", path)[0] == 204
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"url": "http://ats.example"}, "url"),
        ({"url": "https://me:secret@ats.example"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["webhook.test"]}, "events"),
    ],
)
def test_webhook_that_cannot_be_is_refused_by_name(api, settings, wrong, field):
    settings.WEBHOOK_NETWORKS = []
    status, body = api("post", "/webhooks", WANTED | wrong)
    assert status == 422
    assert field in body["detail"]


def test_test_is_sent_seen_and_sent_again(api, add, receiver):
    endpoint = add()
    path = f"/webhooks/{endpoint.pk}"

    assert api("post", f"{path}/test")[0] == 202
    delivery.deliver(endpoint_id=endpoint.pk)
    [seen] = api("get", f"{path}/deliveries")[1]["items"]
    assert (seen["type"], seen["status"], seen["due_at"]) == ("webhook.test", "delivered", None)
    assert [(each["outcome"], each["status_code"]) for each in seen["attempts"]] == [("ok", 204)]

    again = f"{path}/deliveries/{seen['id']}/replay"
    assert api("post", again)[1]["status"] == "waiting"
    assert api("post", again)[0] == 409
    delivery.deliver(endpoint_id=endpoint.pk)
    assert receiver.types() == ["webhook.test", "webhook.test"]
    ids = {headers["webhook-id"] for headers, _body in receiver.received}
    assert ids == {seen["event_id"]}


def test_other_organisations_find_neither_webhook_nor_delivery(api, foreign, add):
    endpoint = add()
    api("post", f"/webhooks/{endpoint.pk}/test")
    row = WebhookDelivery.objects.get()
    path = f"/webhooks/{endpoint.pk}"
    own = f"/webhooks/{foreign('post', '/webhooks', WANTED)[1]['id']}"

    for method, address in (
        *(("get", path), ("patch", path), ("delete", path), ("post", f"{path}/secret")),
        *(("post", f"{path}/test"), ("get", f"{path}/deliveries")),
        *(("post", f"{path}/deliveries/{row.pk}/replay"), ("post", f"{own}/deliveries/{row.pk}/replay")),
    ):
        assert foreign(method, address)[0] == 404, address
    assert [each["url"] for each in foreign("get", "/webhooks")[1]["items"]] == [WANTED["url"]]
