"""Events reach another system once it can be reached: signed, in order, and none is lost."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from accounts.models import Membership
from interviews import jobs
from interviews.actions import erasure, outbox, webhooks
from interviews.actions.errors import WrongState
from interviews.models import EventType, Invitation, WebhookAttempt, WebhookDelivery, WebhookEvent
from interviews.webhooks import delivery, sending
from tests import factories
from tests.interviews.webhooks.receiver import respond

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

Status, Outcome = WebhookDelivery.Status, WebhookAttempt.Outcome


def tell(invitation, *types, now=None):
    for type_ in types:
        outbox.tell(type_, invitation.pk, now=now or timezone.now())


def deliver(endpoint):
    delivery.deliver(endpoint_id=endpoint.pk)


def make_due():
    WebhookDelivery.objects.filter(status=Status.WAITING).update(due_at=timezone.now())


def outcomes():
    return list(WebhookAttempt.objects.values_list("outcome", "status_code"))


@pytest.fixture
def invitation(interview):
    return factories.InvitationFactory(interview=interview, candidate_name="Ada Lovelace")


def test_event_arrives_signed_and_names_no_person(add, receiver, invitation):
    endpoint = add()
    tell(invitation, EventType.INVITATION_CREATED)

    deliver(endpoint)

    [message] = receiver.verified(endpoint.secret)
    assert message["type"] == "invitation.created"
    assert message["data"] == {
        "invitation_id": str(invitation.pk),
        "interview_id": str(invitation.interview_id),
        "sequence": 1,
    }
    assert b"Ada" not in receiver.received[0][1]
    assert WebhookDelivery.objects.get().status == Status.DELIVERED
    assert outcomes() == [(Outcome.OK, 204)]


def test_both_secrets_sign_until_the_old_one_is_over(add, receiver, invitation):
    endpoint = add()
    old = endpoint.secret
    webhooks.renew_secret(endpoint=endpoint, now=timezone.now())
    tell(invitation, EventType.INTERVIEW_STARTED)

    deliver(endpoint)

    assert receiver.verified(old) == receiver.verified(endpoint.secret)
    assert endpoint.secrets(timezone.now() + 2 * webhooks.OVERLAP) == [endpoint.secret]


def test_events_of_a_candidate_arrive_in_order(add, receiver, invitation):
    endpoint = add()
    tell(invitation, EventType.INVITATION_CREATED, EventType.INTERVIEW_STARTED, EventType.INTERVIEW_COMPLETED)

    deliver(endpoint)

    assert receiver.types() == ["invitation.created", "interview.started", "interview.completed"]
    assert [message["data"]["sequence"] for message in receiver.verified(endpoint.secret)] == [1, 2, 3]


def test_event_that_fails_holds_back_its_candidate_only(add, receiver, invitation, interview):
    endpoint = add()
    other = factories.InvitationFactory(interview=interview)
    receiver.answer = lambda request: respond(request, 500 if len(receiver.received) == 1 else 204)
    tell(invitation, EventType.INTERVIEW_STARTED, EventType.INTERVIEW_COMPLETED)
    deliver(endpoint)
    tell(other, EventType.INVITATION_CREATED)

    deliver(endpoint)

    assert receiver.types() == ["interview.started", "invitation.created"]
    make_due()
    deliver(endpoint)
    assert receiver.types()[2:] == ["interview.started", "interview.completed"]


def test_event_holds_back_the_later_ones_for_five_minutes_at_most(add, receiver, invitation):
    endpoint = add()
    receiver.answer = lambda request: respond(request, 500 if len(receiver.received) == 1 else 204)
    before = timezone.now() - outbox.HOLD - timedelta(seconds=1)
    tell(invitation, EventType.INTERVIEW_STARTED, now=before)
    deliver(endpoint)
    tell(invitation, EventType.INTERVIEW_COMPLETED)

    deliver(endpoint)

    assert receiver.types() == ["interview.started", "interview.completed"]


def test_answers_that_end_together_are_numbered_one_after_the_other(add, invitation):
    add()
    both = threading.Barrier(2, timeout=60)

    def end():
        both.wait()
        tell(invitation, EventType.TRANSCRIPT_READY)
        connection.close()

    with ThreadPoolExecutor(2) as threads:
        for ended in [threads.submit(end) for _ in range(2)]:
            ended.result()

    assert set(WebhookEvent.objects.values_list("sequence", flat=True)) == {1, 2}


def test_candidate_who_is_erased_meanwhile_is_no_news(add, invitation):
    add()
    gone = invitation.pk
    erasure.erase_candidate(invitation=invitation, by="test", now=timezone.now())
    tell(Invitation(pk=gone), EventType.TRANSCRIPT_READY)
    assert list(WebhookEvent.objects.values_list("type", flat=True)) == ["candidate.erased"]


def test_secret_that_cannot_be_read_costs_no_attempt(add, invitation, settings):
    endpoint = add()
    tell(invitation, EventType.INTERVIEW_STARTED)
    settings.TOKEN_KEYS = ["o" * 40]
    deliver(endpoint)
    assert WebhookDelivery.objects.get().attempts == 0


def test_erasure_overtakes_and_takes_back_what_was_told(add, receiver, invitation):
    endpoint = add()
    receiver.answer = lambda request: respond(request, 204 if "erased" in receiver.types()[-1] else 500)
    tell(invitation, EventType.INTERVIEW_STARTED)
    deliver(endpoint)
    tell(invitation, EventType.INTERVIEW_COMPLETED)

    erasure.erase_candidate(invitation=invitation, by="test", now=timezone.now())
    deliver(endpoint)

    assert receiver.types() == ["interview.started", "candidate.erased"]
    told = dict(WebhookEvent.objects.values_list("type", "data"))
    assert told["interview.started"] == told["interview.completed"] == {}
    dropped = WebhookDelivery.objects.filter(status=Status.DROPPED)
    assert dropped.count() == 2
    with pytest.raises(WrongState):
        outbox.replay(delivery=dropped.first(), now=timezone.now())


def hang(request):
    request.receiver.is_over.wait(60)


def drip(request):
    """Answer with a body that never ends."""
    request.send_response(200)
    request.send_header("content-length", "1000000")
    request.end_headers()
    while not request.receiver.is_over.wait(0.02):
        request.wfile.write(b".")


def drip_headers(request):
    request.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not request.receiver.is_over.wait(0.02):
        request.wfile.write(b"x-more: 1\r\n")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda request: respond(request, 503), (Outcome.STATUS, 503)),
        (lambda request: respond(request, 302, location="http://127.0.0.1:1/"), (Outcome.REDIRECT, 302)),
        (lambda request: request.wfile.write(b"no HTTP at all\r\n\r\n"), (Outcome.UNREACHED, None)),
        (lambda request: setattr(request, "close_connection", True), (Outcome.UNREACHED, None)),
        (hang, (Outcome.TIMEOUT, None)),
        (drip_headers, (Outcome.TIMEOUT, None)),
        (drip, (Outcome.OK, 200)),
    ],
    ids=["refuses", "redirects", "no HTTP", "hangs up", "hangs", "endless headers", "endless body"],
)
def test_receiver_that_behaves_badly(add, receiver, invitation, monkeypatch, answer, expected):
    monkeypatch.setattr(sending, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(sending, "BODY_S", 0.1)
    endpoint = add()
    receiver.answer = answer
    tell(invitation, EventType.INTERVIEW_STARTED)

    deliver(endpoint)

    assert outcomes() == [expected]
    assert len(receiver.received) == 1
    status = Status.DELIVERED if expected[0] == Outcome.OK else Status.WAITING
    assert WebhookDelivery.objects.filter(status=status, attempts=1).exists()


def test_receiver_inside_our_network_is_not_reached(add, receiver, invitation, settings):
    endpoint = add()
    settings.WEBHOOK_NETWORKS = []
    tell(invitation, EventType.INTERVIEW_STARTED)

    deliver(endpoint)

    assert outcomes() == [(Outcome.NOT_ALLOWED, None)]
    assert receiver.received == []


def test_receiver_that_is_gone_is_told_nothing_more_and_owners_know(add, receiver, interview, settings):
    settings.EMAIL_URL = "smtp://localhost"
    endpoint = add()
    role = {"organisation": interview.organisation, "role": Membership.Role.OWNER}
    owner = factories.MembershipFactory(**role).user
    receiver.answer = lambda request: respond(request, 410)
    invitation = factories.InvitationFactory(interview=interview)
    tell(invitation, EventType.INTERVIEW_STARTED)

    deliver(endpoint)
    tell(invitation, EventType.INTERVIEW_COMPLETED)
    make_due()
    deliver(endpoint)

    endpoint.refresh_from_db()
    assert (endpoint.off_reason, len(receiver.received)) == ("gone", 1)
    [notice] = mail.outbox
    assert notice.to == [owner.email]
    assert str(endpoint.pk) in notice.body


def test_endpoint_at_which_nothing_arrives_for_a_day_is_switched_off(add, receiver, invitation):
    endpoint = add()
    receiver.answer = lambda request: respond(request, 500)
    tell(invitation, EventType.INTERVIEW_STARTED)
    deliver(endpoint)
    endpoint.refresh_from_db()
    assert endpoint.failing_since is not None
    endpoint.failing_since -= outbox.FAILING_FOR
    endpoint.save()
    make_due()

    deliver(endpoint)

    endpoint.refresh_from_db()
    assert endpoint.off_reason == "failing"
    webhooks.switch(endpoint=endpoint, is_on=True)
    receiver.answer = lambda request: respond(request, 200)
    make_due()
    deliver(endpoint)
    assert WebhookDelivery.objects.get().status == Status.DELIVERED, "what waited is not lost"
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


def test_delivery_is_tried_for_a_day_and_then_given_up(add, receiver, invitation):
    endpoint = add()
    receiver.answer = lambda request: respond(request, 500)
    tell(invitation, EventType.INTERVIEW_STARTED)
    waited = timedelta()
    for _attempt in range(len(outbox.PAUSES)):
        deliver(endpoint)
        waited += WebhookDelivery.objects.get().due_at - timezone.now()
        make_due()
    assert WebhookDelivery.objects.get().status == Status.WAITING
    assert timedelta(hours=20) < waited < timedelta(hours=27)

    deliver(endpoint)

    assert WebhookDelivery.objects.get().status == Status.FAILED


def test_process_that_dies_after_it_claimed_loses_nothing(add, receiver, invitation, queued):
    endpoint = add()
    tell(invitation, EventType.INTERVIEW_STARTED)
    outbox.claim(endpoint_id=endpoint.pk, at_once=8, now=timezone.now())  # and never settles

    deliver(endpoint)
    assert receiver.received == []
    WebhookDelivery.objects.update(taken_until=timezone.now())
    jobs.sweep_webhooks()

    assert queued("webhooks") == [outbox.job_id(endpoint.pk)]
    deliver(endpoint)
    assert receiver.types() == ["interview.started"]


def test_two_jobs_together_send_no_more_at_once(add, interview):
    endpoint = add()
    for invitation in factories.InvitationFactory.create_batch(4, interview=interview):
        tell(invitation, EventType.INVITATION_CREATED)

    claimed = [len(outbox.claim(endpoint_id=endpoint.pk, at_once=3, now=timezone.now())) for _job in range(2)]

    assert claimed == [3, 0]


def test_failure_of_long_ago_is_no_reason_to_switch_off(add, receiver, invitation):
    endpoint = add()
    receiver.answer = lambda request: respond(request, 500)
    type(endpoint).objects.update(failing_since=timezone.now() - 3 * outbox.FAILING_FOR)
    tell(invitation, EventType.INTERVIEW_STARTED)

    deliver(endpoint)

    endpoint.refresh_from_db()
    assert endpoint.is_on
    assert timezone.now() - endpoint.failing_since < outbox.FAILING_FOR


def test_event_is_sent_again_under_its_id(add, receiver, invitation):
    endpoint = add()
    tell(invitation, EventType.INTERVIEW_STARTED)
    deliver(endpoint)

    outbox.replay(delivery=WebhookDelivery.objects.get(), now=timezone.now())
    deliver(endpoint)

    first, second = (headers["webhook-id"] for headers, _body in receiver.received)
    assert first == second
    with pytest.raises(WrongState):
        outbox.replay(delivery=WebhookDelivery(pk=endpoint.pk, endpoint=endpoint), now=timezone.now())


def test_few_requests_are_under_way_at_once(add, receiver, interview):
    endpoint = add()
    under_way, most, arrival = [], [0], itertools.count()
    first_two = threading.Barrier(2, timeout=60)

    def answer(request):
        under_way.append(1)
        most[0] = max(most[0], len(under_way))
        if next(arrival) < 2:
            first_two.wait()
        under_way.pop()
        respond(request, 204)

    receiver.answer = answer
    for invitation in factories.InvitationFactory.create_batch(20, interview=interview):
        tell(invitation, EventType.INVITATION_CREATED)

    deliver(endpoint)

    assert len(receiver.received) == 20
    assert 1 < most[0] <= delivery.AT_ONCE


def test_old_events_are_forgotten(add, invitation):
    add()
    tell(invitation, EventType.INTERVIEW_STARTED, now=timezone.now() - outbox.KEPT - timedelta(days=1))
    tell(invitation, EventType.INTERVIEW_COMPLETED)

    assert outbox.forget_old(now=timezone.now()) == 1
    assert WebhookEvent.objects.get().type == EventType.INTERVIEW_COMPLETED
