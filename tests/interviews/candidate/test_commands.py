"""Statements of each command, and the locks when several writers change one interview."""

import threading

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.db.backends.signals import connection_created
from django.utils import timezone

from interviews import states
from interviews.actions import answers, invitations
from interviews.actions.errors import WrongState
from interviews.actions.transitions import move
from interviews.events import publishing
from interviews.models import Answer, Invitation, Session
from interviews.queries import rows
from tests.faults.waiting import wait_for
from tests.interviews import journey
from tests.interviews.candidate.test_consumer import FRAME, Browser
from voice import signals
from voice.models import Recording

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

PATIENCE_S = 120
STATEMENTS = {"ask": 7, "begin_answer": 8, "finish_answer": 8, "accept_answer": 7}


@pytest.fixture
def statements():
    """Every statement of any thread from now on."""
    seen: list[str] = []
    watched = []

    def note(execute, sql, params, many, context):
        seen.append(sql)
        return execute(sql, params, many, context)

    def watch(connection, **kwargs):
        if note not in connection.execute_wrappers:
            connection.execute_wrappers.append(note)
            watched.append(connection)

    connection_created.connect(watch)
    yield seen
    connection_created.disconnect(watch)
    for of_thread in watched:
        of_thread.execute_wrappers.remove(note)


@pytest.fixture
async def candidate(session):
    """An admitted candidate with one retake for each answer; `ids` are the answers' ids."""

    def prepare():
        journey.get_under_way(session)
        session.answers.update(retakes_left=1)

    await sync_to_async(prepare)()
    browser = Browser(session.invitation.token)
    browser.ids = [answer["id"] for answer in (await browser.open())["answers"]]
    yield browser
    await browser.close()


async def answer_with_commands(browser, answer_id, *, done):
    """Answer a question. `done` is called with each command after all its messages were received."""
    await browser.say("ask", answer=answer_id)
    await browser.until("event")
    done("ask")
    await browser.say("begin_answer", answer=answer_id)
    assert {(await browser.next())["type"] for _ in range(2)} == {"event", "resume"}
    done("begin_answer")
    await browser.speak(0)
    await browser.until("ack")
    await browser.say("finish_answer", answer=answer_id, bytes=len(FRAME))
    await browser.until("event")
    done("finish_answer")
    await browser.say("accept_answer", answer=answer_id)
    await browser.until("event")
    done("accept_answer")


async def test_commands_ask_the_database_no_more_than_this(candidate, statements):
    counts = {}

    def done(command):
        counts[command] = len(statements)
        statements.clear()

    await answer_with_commands(candidate, candidate.ids[1], done=done)
    assert counts.keys() == STATEMENTS.keys()
    assert all(0 < counts[command] <= STATEMENTS[command] for command in counts), counts


async def test_sign_of_life_asks_the_database_nothing(candidate, statements):
    await candidate.say("ping")
    await candidate.until("pong")
    assert statements == []


@pytest.mark.parametrize(
    ("tell", "most"),
    [
        (signals.recording_stored, 6),
        (signals.transcript_finished, 11),
    ],  # it can be searched, and other systems are told
)
def test_what_a_worker_tells_asks_the_database_no_more_than_this(
    session, django_assert_max_num_queries, tell, most
):
    answer = journey.begin_first_question(session)
    journey.speak(answer, FRAME)
    answers.finish(answer=answer, byte_count=len(FRAME), by="t", now=timezone.now())
    told = {"recording": answer.recording, "transcript": answer.recording.transcript}
    with django_assert_max_num_queries(most):  # including begin and commit
        tell.send(None, **told)


@pytest.fixture
def sent(monkeypatch):
    messages: list[dict] = []
    monkeypatch.setattr(
        publishing.channel_layer, "group_send", lambda group, message: messages.append(message)
    )
    return messages


def in_another_thread(action) -> threading.Thread:
    """Start `action`, and return when it waits for a lock of this thread."""

    def run():
        try:
            action()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    wait_for(somebody_waits, "another thread waits for a lock")
    return thread


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


def test_event_that_waited_for_another_tells_what_that_one_did(session, sent):
    journey.get_under_way(session)
    first, second = journey.questions(session)[:2]
    sent.clear()
    with transaction.atomic():
        rows.session(session.pk, is_locked=True)
        other = in_another_thread(lambda: publishing.publish("recording_stored", second.session, second))
        answers.type_answer(answer=first, text="Yes.", by="t", now=timezone.now())
    other.join(PATIENCE_S)
    events_sent = [message["event"] for message in sent]  # in the order of either thread
    earlier, later = sorted(events_sent, key=lambda event: event["session"]["version"])
    assert (earlier["name"], later["name"]) == ("answer_typed", "recording_stored")
    assert later["session"]["version"] == earlier["session"]["version"] + 1
    assert later["session"]["current_answer"] == earlier["session"]["current_answer"] == str(second.pk)


def test_command_that_waited_for_another_reads_what_that_one_did(session, sent):
    answer = journey.begin_first_question(session, retakes=1)
    read = []

    def come_second():
        with transaction.atomic():
            read.append(rows.answer(rows.session(session.pk, is_locked=True), answer.pk))

    with transaction.atomic():
        rows.session(session.pk, is_locked=True)
        other = in_another_thread(come_second)
        journey.speak(answer, FRAME)
        answers.finish(answer=answer, byte_count=len(FRAME), by="t", now=timezone.now())
    other.join(PATIENCE_S)
    assert read[0].status == Answer.Status.RECORDED
    assert (read[0].recording.status, read[0].recording.byte_count) == (Recording.Status.SEALED, len(FRAME))


def test_action_that_is_undone_tells_nothing(session, sent):
    journey.get_under_way(session)
    version = Session.objects.get(pk=session.pk).version
    sent.clear()
    first, second = journey.questions(session)[:2]

    @transaction.atomic
    def ask_both():
        answers.ask(answer=first, by="t", now=timezone.now())
        answers.ask(answer=second, by="t", now=timezone.now())

    with pytest.raises(WrongState):
        ask_both()
    assert sent == []
    assert Session.objects.get(pk=session.pk).version == version
    assert Answer.objects.get(pk=first.pk).status == Answer.Status.PENDING


def test_row_of_a_command_is_what_the_orm_reads(session):
    answer = journey.begin_first_question(session)
    mine = rows.answer(rows.session(session.pk), answer.pk)
    theirs = journey.questions(session)[0]
    assert_same(mine, theirs)
    assert_same(mine.recording, theirs.recording)
    assert_same_session(mine.session, theirs.session)
    told = rows.answer_of(theirs.recording_id)
    assert_same(told, theirs)
    assert_same(told.recording, theirs.recording)
    assert_same_session(told.session, theirs.session)


def test_row_of_a_session_is_what_the_orm_reads(session):
    theirs = Session.objects.get(pk=session.pk)
    assert_same_session(rows.session(session.pk), theirs)
    practice = rows.practice(theirs)
    assert_same(practice, theirs.answers.get(kind=Answer.Kind.PRACTICE))
    assert practice.session is theirs


def test_rows_of_a_link_are_what_the_orm_reads(session):
    invitation, begun = rows.link(session.invitation.token)
    assert_same_session(begun, Session.objects.get(pk=session.pk))
    assert_same(invitation.interview.organisation, session.interview.organisation)
    assert_same(begun.definition, session.definition)
    assert [asked.id for asked in begun.definition.asked] == list(
        session.interview.questions.values_list("pk", flat=True)
    )


def assert_same_session(mine, theirs):
    assert_same(mine, theirs)
    assert_same(mine.invitation, theirs.invitation)
    assert_same(mine.invitation.interview, theirs.invitation.interview)
    assert_same(mine.definition, theirs.definition)


def assert_same(mine, theirs):
    fields = mine._meta.concrete_fields
    assert [getattr(mine, field.attname) for field in fields] == [
        getattr(theirs, field.attname) for field in fields
    ]


def test_answer_without_a_recording_is_read(session):
    journey.get_under_way(session)
    pending = journey.questions(session)[0]
    assert rows.answer(session, pending.pk).recording is None
    assert rows.answer(session, session.pk) is None
    assert rows.answer_of(pending.pk) is None


def test_revoking_waits_for_whoever_finishes_the_interview_and_holds_nothing_that_is_needed(session):
    """In a deadlock, PostgreSQL would abort one of them after a second."""

    def revoke():
        invitation = Invitation.objects.get(pk=session.invitation_id)
        invitations.revoke(invitation=invitation, by="t", now=timezone.now())

    journey.get_under_way(session)
    with transaction.atomic():
        move(session, states.FINISH_SESSION, by="t", finished_at=timezone.now())
        other = in_another_thread(revoke)
        move(session.invitation, states.FINISH_INVITATION, by="t")
    other.join(PATIENCE_S)
    session = Session.objects.select_related("invitation").get(pk=session.pk)
    assert (session.status, session.invitation.status) == ("finished", "revoked")
