"""Each change that other systems may be told of writes its event, in the same transaction."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from interviews.actions import (
    answers,
    decisions,
    erasure,
    invitations,
    outbox,
    scorecards,
    sessions,
    webhooks,
)
from interviews.actions.errors import BadValue
from interviews.models import EventType, Invitation, WebhookDelivery, WebhookEvent
from tests import factories
from voice import signals
from voice.models import Transcript

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


@pytest.fixture(autouse=True)
def endpoint(add):
    return add()


def told() -> list[str]:
    return list(WebhookEvent.objects.order_by("sequence").values_list("type", flat=True))


def invite(interview):
    expires_at = timezone.now() + timedelta(days=1)
    return invitations.invite(
        interview=interview, candidate_name="Ada", expires_at=expires_at, by="test", now=timezone.now()
    )


def test_interview_from_invitation_to_erasure_is_told(interview):
    now, by = timezone.now(), factories.UserFactory()
    invitation = invite(interview)
    session = sessions.start(invitation=invitation, now=now)
    sessions.check_devices(session=session, by=invitation, now=now)
    sessions.skip_practice(session=session, by=invitation, now=now)
    answer = session.answers.get(kind="question")
    answers.type_answer(answer=answer, text="I mend bicycles.", by=invitation, now=now)
    session.refresh_from_db()
    decisions.decide(session=session, outcome="hold", reason="Not sure.", after=None, by=by, now=now)
    before_erasure = told()
    erasure.erase_candidate(invitation=invitation, by=by, now=now)

    expected = ["invitation.created", "interview.started", "interview.completed", "decision.made"]
    assert before_erasure == expected
    assert told() == [*expected, "candidate.erased"]
    assert list(WebhookEvent.objects.order_by("sequence").values_list("sequence", flat=True)) == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert WebhookEvent.objects.get(type="candidate.erased").data == {
        "invitation_id": str(invitation.pk),
        "interview_id": str(interview.pk),
    }


def test_transcript_names_its_answer(interview):
    answer = factories.AnswerFactory(accepted=True, session__invitation__interview=interview)
    transcript = Transcript.objects.get(recording=answer.recording)

    signals.transcript_finished.send(Transcript, transcript=transcript)

    data = WebhookEvent.objects.get(type=EventType.TRANSCRIPT_READY).data
    assert (data["answer_id"], data["session_id"]) == (str(answer.pk), str(answer.session_id))


def test_transcript_whose_worker_died_before_it_told_is_told_once(interview, endpoint):
    now = timezone.now()
    type(endpoint).objects.update(created_at=now - timedelta(hours=2))
    answer = factories.AnswerFactory(accepted=True, session__invitation__interview=interview)
    ended = Transcript.objects.filter(recording=answer.recording)
    ended.update(finished_at=now - timedelta(minutes=5))

    assert [outbox.tell_missed_transcripts(now=now) for _ in range(2)] == [1, 0]
    assert told() == ["transcript.ready"]
    ended.update(finished_at=now - timedelta(hours=5))
    WebhookEvent.objects.all().delete()
    assert outbox.tell_missed_transcripts(now=now) == 0


def test_candidate_who_does_not_come_back_is_told(interview):
    session = sessions.start(invitation=invite(interview), now=timezone.now())
    sessions.abandon(session=session, by="expiry", now=timezone.now())
    assert told() == ["invitation.created", "interview.started", "interview.abandoned"]


def test_score_is_told_when_it_is_submitted_and_changed(interview):
    criterion = factories.CriterionFactory(interview=interview)
    factories.publish(interview)
    session = factories.SessionFactory(invitation__interview=interview, finished=True)
    by, now = factories.UserFactory(), timezone.now()
    for level in (1, 1, 2):
        scorecards.submit(session=session, scores={str(criterion.pk): (level, "")}, by=by, now=now)
    assert told() == ["score.updated", "score.updated"]


def test_change_that_is_rolled_back_is_not_told(interview):
    with transaction.atomic():
        invite(interview)
        transaction.set_rollback(True)
    assert told() == []
    assert not Invitation.objects.exists()


def test_trial_of_a_recruiter_is_no_news(interview):
    by = factories.UserFactory()
    tomorrow = timezone.now() + timedelta(days=1)
    trial = invitations.try_out(interview=interview, by=by, expires_at=tomorrow, now=timezone.now())
    sessions.start(invitation=trial, now=timezone.now())
    erasure.erase_candidate(invitation=trial, by=by, now=timezone.now())
    assert told() == []


def test_nothing_is_kept_where_nobody_asked(interview, endpoint):
    webhooks.change(endpoint=endpoint, url=endpoint.url, events=["decision.made"], description="")
    invite(interview)
    invite(factories.InterviewFactory(questions=1))
    assert told() == []


def test_endpoint_that_is_off_is_not_told(interview, endpoint):
    webhooks.switch(endpoint=endpoint, is_on=False)
    invite(interview)
    assert told() == []


def test_test_event_is_sent_whatever_was_asked_for(endpoint):
    webhooks.change(endpoint=endpoint, url=endpoint.url, events=["decision.made"], description="")
    outbox.tell_test(endpoint, now=timezone.now())
    assert WebhookDelivery.objects.get().event.type == "webhook.test"


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"url": "example.com/hook"}, "url: this is no address"),
        ({"url": "https://"}, "url: this is no address"),
        ({"url": "ftp://example.com/"}, "url: this is no address"),
        ({"url": "https://user:pass@example.com/"}, "url: leave out"),
        ({"url": "http://example.com/"}, "url: it has to begin with https"),
        ({"events": []}, "events: choose"),
        ({"events": ["webhook.test"]}, "events: webhook.test is not offered"),
        ({"events": ["decision.made", "x.y"]}, "events: x.y is not offered"),
    ],
)
def test_endpoint_with_a_bad_value_is_refused(endpoint, settings, changed, complaint):
    settings.WEBHOOK_NETWORKS = []
    good = {"url": "https://example.com/hook", "events": ["decision.made"], "description": ""}
    with pytest.raises(BadValue, match=complaint):
        webhooks.change(endpoint=endpoint, **good | changed)


def test_secrets_are_written_anew_with_the_newest_key(endpoint, settings):
    secret = endpoint.secret
    settings.TOKEN_KEYS = ["n" * 40, *settings.TOKEN_KEYS]
    assert webhooks.rotate_keys() == {"written": 1}
    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    endpoint.refresh_from_db()
    assert endpoint.secret == secret
    settings.TOKEN_KEYS = ["o" * 40]
    assert webhooks.rotate_keys() == {"unreadable": 1}


def test_endpoint_is_locked_before_its_deliveries(endpoint, interview):
    invite(interview)
    with CaptureQueriesContext(connection) as queries:
        webhooks.delete(endpoint=endpoint)
    first = next(each["sql"] for each in queries if "interviews_webhook" in each["sql"])
    assert 'FROM "interviews_webhookendpoint"' in first
    assert first.endswith("FOR UPDATE")


def test_endpoint_that_was_deleted_costs_no_event(endpoint, interview, monkeypatch):
    fetch = outbox.sql.fetch

    def deleting(statement, *parameters):
        if "FOR KEY SHARE" in statement:
            webhooks.delete(endpoint=endpoint)
        return fetch(statement, *parameters)

    monkeypatch.setattr(outbox.sql, "fetch", deleting)
    invite(interview)

    assert told() == ["invitation.created"]
    assert not WebhookDelivery.objects.exists()
