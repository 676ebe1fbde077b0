"""Decisions have reasons, keep what was before, and are told only when a person presses the button."""

import pytest
from django.core import mail as outbox
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import attempts, decisions, mails
from interviews.actions.errors import BadValue, WrongState
from interviews.models import Decision, Message, Session
from interviews.texts.mails import OF_DECISIONS, TEXTS, placeholders, unknown_places
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


@pytest.fixture(autouse=True)
def server(settings):
    settings.EMAIL_URL = "smtp://localhost"


@pytest.fixture
def olga(reviewer):
    return reviewer("olga", Membership.Role.OWNER)


def decide(session, by, outcome, reason="Good reasons", after=None):
    return decisions.decide(
        session=session, outcome=outcome, reason=reason, after=after, by=by, now=timezone.now()
    )


def test_change_keeps_what_was_decided_before(session, olga):
    first = decide(session, olga, "hold", "Wait for Bea")
    decide(session, olga, "advance", "Better than Bea", after=first.pk)
    found = [(each.outcome, each.reason, each.is_current) for each in session.decisions.all()]
    assert found == [("advance", "Better than Bea", True), ("hold", "Wait for Bea", False)]


@pytest.mark.parametrize(
    ("outcome", "reason", "why"),
    [
        ("reject", "  ", "write why"),
        ("reject", "Wait for Bea", "a reason of its own"),
        ("reject", "x" * 2001, "at most"),
        ("hire", "Yes", "choose"),
    ],
)
def test_decision_without_a_reason_of_its_own_is_refused(session, olga, outcome, reason, why):
    first = decide(session, olga, "hold", "Wait for Bea")
    with pytest.raises(BadValue, match=why):
        decide(session, olga, outcome, reason, after=first.pk)
    assert Decision.objects.get() == first


def test_decision_on_what_another_has_decided_meanwhile_is_refused(session, olga, anna):
    decide(session, anna, "reject")
    with pytest.raises(WrongState, match="meanwhile"):
        decide(session, olga, "advance", "I did not know", after=None)
    assert Decision.objects.get().decided_by == anna


def test_interview_under_way_is_not_decided(session, olga):
    Session.objects.update(status="under_way")
    with pytest.raises(WrongState, match="under way"):
        decide(session, olga, "reject")


def tell(session, by):
    decisions.tell(session=session, by=by, now=timezone.now())


def send():
    message = Message.objects.get()
    mails.send(message_id=message.pk, now=timezone.now())
    message.refresh_from_db()
    return message


@pytest.mark.parametrize(
    ("outcome", "words"), [("advance", "the next step"), ("reject", "go on with other candidates")]
)
def test_candidate_is_told_when_a_person_presses_the_button(session, olga, outcome, words):
    decide(session, olga, outcome, "Secret reason")
    assert not Message.objects.exists()

    tell(session, olga)

    assert send().created_by == olga
    [sent] = outbox.outbox
    assert sent.to == [session.invitation.candidate_email]
    assert words in sent.body
    assert "Secret reason" not in sent.body
    assert session.invitation.token not in sent.body
    assert sent.attachments == []


def test_candidate_is_told_once(session, olga):
    decide(session, olga, "reject")
    tell(session, olga)
    with pytest.raises(WrongState, match="told already"):
        tell(session, olga)
    assert Message.objects.count() == 1


def test_hold_and_no_decision_are_not_told(session, olga):
    with pytest.raises(WrongState, match="no decision"):
        tell(session, olga)
    decide(session, olga, "hold")
    with pytest.raises(WrongState, match="no decision"):
        tell(session, olga)


def test_decision_that_was_changed_before_it_was_sent_is_not_told(session, olga):
    first = decide(session, olga, "reject")
    tell(session, olga)
    decide(session, olga, "advance", "A mistake", after=first.pk)
    assert send().status == Message.Status.DROPPED
    assert outbox.outbox == []


def test_candidate_is_told_a_decision_that_was_taken_back_and_taken_again(session, olga):
    first = decide(session, olga, "reject")
    tell(session, olga)
    second = decide(session, olga, "advance", "A mistake", after=first.pk)
    decide(session, olga, "reject", "No mistake", after=second.pk)

    tell(session, olga)

    assert Message.objects.filter(kind="rejection").count() == 2
    for message in Message.objects.all():
        mails.send(message_id=message.pk, now=timezone.now())
    assert len(outbox.outbox) == 1, "the one that waited tells a decision of before"


def test_candidate_who_began_again_is_told_the_second_decision(session, olga):
    decide(session, olga, "reject")
    tell(session, olga)
    send()
    attempts.reset(invitation=session.invitation, by=olga, now=timezone.now())
    again = factories.SessionFactory(invitation=session.invitation, finished=True)
    decide(again, olga, "reject", "Again not")

    tell(again, olga)

    assert Message.objects.count() == 2
    assert decisions.told(again.decisions.get()) is not None


def test_without_an_address_nothing_counts_as_told(session, olga):
    decide(session, olga, "reject")
    session.invitation.__class__.objects.update(candidate_email="")
    with pytest.raises(BadValue, match="no e-mail address"):
        tell(session, olga)
    assert not Message.objects.exists()


@pytest.mark.parametrize("kind", OF_DECISIONS)
def test_standard_texts_name_no_link_and_no_deadline(kind):
    assert set(TEXTS[kind]) == {"en", "de", "es", "fr"}
    for text in TEXTS[kind].values():
        assert unknown_places(text.subject + text.body, kind) == []
    assert "link" not in placeholders(kind)
