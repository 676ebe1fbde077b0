"""The socket of those who watch: who is let in, what they are told, and how often."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.models import Membership, User
from interview_platform.asgi import application
from interviews.actions import answers, sessions
from interviews.events import watchers
from interviews.models import Assignment
from interviews.watching import consumer, view
from tests import factories
from tests.interviews import journey
from tests.staff import ours  # noqa: F401

Role = Membership.Role
PATIENCE_S = 120  # on a machine that is busy with other things
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """A watcher looks again soon after it looked, and by itself only when a test says so."""
    monkeypatch.setattr(consumer, "REST_S", 0.01)
    monkeypatch.setattr(consumer, "AT_LATEST_S", 3600)


@pytest.fixture
def session(interview):
    invitation = factories.InvitationFactory(interview=interview, candidate_name="Ada")
    return sessions.start(invitation=invitation, now=timezone.now())


@pytest.fixture
def colleague(ours):  # noqa: F811
    def make(role=Role.RECRUITER):
        return factories.MembershipFactory(organisation=ours, role=role).user

    return make


class Watcher:
    """A page of staff in a test."""

    def __init__(self, user=None, *, origin="http://127.0.0.1", query="", **headers):
        sent = {"host": "127.0.0.1", "origin": origin, **headers}
        if user is not None:
            client = Client()
            client.force_login(user)
            sent["cookie"] = client.cookies.output(header="", sep=";").strip()
        encoded = [(name.encode(), value.encode()) for name, value in sent.items() if value]
        self.socket = WebsocketCommunicator(application, f"/ws/watching/{query}", headers=encoded)

    async def is_let_in(self) -> bool:
        is_open, _ = await self.socket.connect(timeout=PATIENCE_S)
        return is_open

    async def until(self, is_wanted=lambda view: True) -> dict:
        while True:
            message = await self.socket.receive_json_from(timeout=PATIENCE_S)
            if message["type"] == "view" and is_wanted(message):
                return message

    async def close_code(self) -> int:
        while True:
            output = await self.socket.receive_output(timeout=PATIENCE_S)
            if output["type"] == "websocket.close":
                return output["code"]


@pytest.fixture
async def watch():
    """A function that opens a watcher; it is closed after the test."""
    opened = []

    async def open_one(user=None, **options):
        watcher = await sync_to_async(Watcher)(user, **options)
        opened.append(watcher)
        return watcher

    yield open_one
    for watcher in opened:
        await watcher.socket.disconnect(timeout=PATIENCE_S)


async def watching(watch, user, **options):
    """Return a watcher who was let in, with the first view."""
    watcher = await watch(user, **options)
    assert await watcher.is_let_in()
    return watcher, await watcher.until()


async def test_row_moves_while_the_candidate_answers(watch, colleague, session):
    watcher, first = await watching(watch, await sync_to_async(colleague)())
    assert [(row["name"], row["doing"]) for row in first["rows"]] == [("Ada", "checks devices")]

    def answer_first_question():
        journey.get_under_way(session)
        first_question = journey.questions(session)[0]
        answers.type_answer(answer=first_question, text="Bees.", by="test", now=timezone.now())

    await sync_to_async(answer_first_question)()
    moved = await watcher.until(lambda view: view["rows"] and "2 of" in view["rows"][0]["question"])
    assert moved["rows"][0]["progress"] == "1 of 2 answered"
    assert moved["counts"]["under_way"] == 1

    def ask_second_question():
        answers.ask(answer=journey.questions(session)[1], by="test", now=timezone.now())

    await sync_to_async(ask_second_question)()
    await watcher.until(lambda view: view["rows"] and view["rows"][0]["doing"] == "thinking")


async def test_view_has_only_rows_that_changed(watch, colleague, session, interview):
    def begin_another():
        factories.SessionFactory(started=True, invitation__interview=interview, status="practising")
        watchers.hint(interview.organisation_id)

    watcher, first = await watching(watch, await sync_to_async(colleague)())
    await sync_to_async(begin_another)()
    second = await watcher.until()
    assert [row["doing"] for row in second["rows"]] == ["practises"]
    assert second["order"] == [*first["order"], second["rows"][0]["id"]]


async def test_other_organisation_is_told_nothing(watch, session):
    stranger = await sync_to_async(lambda: factories.MembershipFactory(role=Role.OWNER).user)()
    _, first = await watching(watch, stranger)
    assert first["rows"] == first["order"] == []
    assert first["counts"]["here"] == 0


async def test_reviewer_by_assignment_is_told_of_the_assigned(watch, colleague, session, interview):
    def assign():
        interview.organisation.is_review_by_assignment = True
        interview.organisation.save()
        other = factories.SessionFactory(started=True, invitation__interview=interview)
        reviewer = colleague(Role.REVIEWER)
        Assignment.objects.create(session=other, reviewer=reviewer)
        return reviewer, str(other.pk)

    reviewer, assigned = await sync_to_async(assign)()
    _, first = await watching(watch, reviewer)
    assert first["order"] == [assigned]
    assert first["counts"]["here"] == 1


async def test_reviewer_is_told_of_no_pace(watch, colleague, session):
    await sync_to_async(journey.get_under_way)(session)
    _, first = await watching(watch, await sync_to_async(colleague)(Role.REVIEWER))
    assert [row["tone"] for row in first["rows"]] == ["at-question"]


async def test_superuser_is_told_of_every_organisation(watch, session):
    user = await sync_to_async(factories.UserFactory)(is_superuser=True)
    watcher, first = await watching(watch, user)
    assert [row["name"] for row in first["rows"]] == ["Ada"]
    await sync_to_async(journey.get_under_way)(session)
    await watcher.until(lambda view: view["counts"]["under_way"] == 1)


@pytest.mark.parametrize("origin", ["https://elsewhere.example", ""])
async def test_page_of_another_site_is_refused(watch, colleague, session, origin):
    watcher = await watch(await sync_to_async(colleague)(), origin=origin)
    assert not await watcher.is_let_in()


async def test_anonymous_and_keys_are_refused(watch, ours):  # noqa: F811
    key = await sync_to_async(factories.ApiKeyFactory)(organisation=ours)
    assert not await (await watch()).is_let_in()
    assert not await (await watch(authorization=f"Bearer {key.plain}")).is_let_in()


def deactivate(user):
    user.is_active = False
    user.save()


@pytest.mark.parametrize(
    "withdraw",
    [
        deactivate,
        lambda user: user.memberships.get().delete(),
        lambda user: user.set_password("new") or user.save(),
    ],
    ids=["deactivated", "no role", "password"],
)
async def test_withdrawn_role_ends_the_connection_at_once(watch, colleague, session, withdraw):
    user = await sync_to_async(colleague)()
    watcher, _ = await watching(watch, user)
    await sync_to_async(withdraw)(user)
    assert await watcher.close_code() == consumer.CLOSE_SIGNED_OUT


async def test_what_was_withdrawn_without_a_signal_ends_at_the_next_look(
    watch, colleague, session, monkeypatch
):
    monkeypatch.setattr(consumer, "AT_LATEST_S", 0.1)
    user = await sync_to_async(colleague)()
    watcher, _ = await watching(watch, user)
    await sync_to_async(User.objects.filter(pk=user.pk).update)(is_active=False)
    assert await watcher.close_code() == consumer.CLOSE_SIGNED_OUT


async def test_many_events_are_one_reading(watch, colleague, session, monkeypatch):
    readings = []
    monkeypatch.setattr(view, "read", lambda *args, read=view.read: readings.append(1) or read(*args))
    monkeypatch.setattr(consumer, "REST_S", 1.0)
    watcher, _ = await watching(watch, await sync_to_async(colleague)())
    for _ in range(200):
        watchers.hint(session.interview.organisation_id)
    await sync_to_async(journey.get_under_way)(session)
    await watcher.until(lambda view: view["counts"]["under_way"] == 1)
    assert len(readings) <= 3


async def test_watcher_who_takes_nothing_holds_up_no_other(watch, colleague, session, monkeypatch):
    tell, is_slow = consumer.WatcherConsumer._tell, asyncio.Event()

    async def never_at_first(self, seen):
        if not is_slow.is_set():
            is_slow.set()
            await asyncio.Event().wait()
        await tell(self, seen)

    monkeypatch.setattr(consumer.WatcherConsumer, "_tell", never_at_first)
    monkeypatch.setattr(consumer, "SEND_WITHIN_S", 3600)
    monkeypatch.setattr(consumer, "AT_ONCE", 1)
    slow = await watch(await sync_to_async(colleague)())
    assert await slow.is_let_in()
    await asyncio.wait_for(is_slow.wait(), PATIENCE_S)
    _, first = await watching(watch, await sync_to_async(colleague)())
    assert len(first["rows"]) == 1


async def test_watcher_who_takes_nothing_for_long_is_closed(watch, colleague, session, monkeypatch):
    async def never(self, seen):
        await asyncio.Event().wait()

    monkeypatch.setattr(consumer.WatcherConsumer, "_tell", never)
    monkeypatch.setattr(consumer, "SEND_WITHIN_S", 0.01)
    watcher = await watch(await sync_to_async(colleague)())
    assert await watcher.is_let_in()
    assert await watcher.close_code() == consumer.CLOSE_TOO_SLOW


async def test_person_with_too_many_pages_is_asked_to_come_again(watch, colleague, session, settings):
    settings.VOICE = settings.VOICE | {"CONNECTIONS_PER_KEY": 1}
    user = await sync_to_async(colleague)()
    await watching(watch, user)
    second = await watch(user)
    assert await second.is_let_in()
    assert await second.close_code() == consumer.CLOSE_TRY_AGAIN


async def test_ping_is_answered_and_what_is_no_message_ignored(watch, colleague, session):
    watcher, _ = await watching(watch, await sync_to_async(colleague)())
    for text in ("[", "{}", '{"type": "fly"}', "x" * 1_000_000):
        await watcher.socket.send_to(text_data=text)
    await watcher.socket.send_to(bytes_data=b"\0")
    await watcher.socket.send_json_to({"type": "ping"})
    assert await watcher.socket.receive_json_from(timeout=PATIENCE_S) == {"type": "pong"}


async def test_words_are_in_the_language_of_the_profile(watch, colleague, session):
    def german():
        user = colleague()
        user.language = "de"
        user.save()
        return user

    _, first = await watching(watch, await sync_to_async(german)())
    assert first["rows"][0]["progress"] == "0 von 2 beantwortet"


async def test_watching_is_noted_once_for_each_connection(watch, colleague, session):
    user = await sync_to_async(colleague)()
    watcher = await watch(user)
    assert await watcher.is_let_in()
    await watcher.until()
    entries = await sync_to_async(list)(AuditEntry.objects.filter(door="/ws/watching/"))
    assert [(entry.kind, entry.actor, entry.person_id) for entry in entries] == [
        ("listed", "person", user.pk)
    ]
