"""Queries of a new connection. Two cores serve a thousand candidates, so every query and call counts."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.db import connection, connections
from django.db.backends.utils import CursorWrapper
from django.utils import timezone, translation

from interview_platform.asgi import application
from interviews.actions import sessions
from interviews.actions.errors import WrongState
from interviews.admission import estimate
from interviews.models import Invitation, Session
from interviews.models.question import expected_minutes
from tests import factories
from tests.candidate import consent_form
from voice.models import Speech

PATIENCE_S = 120


@pytest.fixture
def said(monkeypatch):
    """Every query of any thread."""
    queries: list[str] = []
    execute = CursorWrapper.execute

    def listen(self, sql, params=None):
        if "SAVEPOINT" not in sql:  # these belong to the test's own transaction
            queries.append(sql)
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", listen)
    return queries


@pytest.fixture
def api_key(interview):
    key = factories.ApiKeyFactory(organisation=interview.organisation)
    type(key).objects.update(last_used_at=timezone.now())  # its use is written once a minute
    return key.plain


@pytest.fixture
def rendered(session):
    """Mark every text of the interview as synthesised."""
    keys = session.answers.values("speech_key")
    Speech.objects.filter(pk__in=keys).update(status=Speech.Status.READY, storage_name="a")


def invite(client, interview, api_key):
    return client.post(
        f"/api/v1/interviews/{interview.pk}/invitations",
        json.dumps({"candidate_name": "Alex"}),
        content_type="application/json",
        headers={"authorization": f"Bearer {api_key}"},
    )


def test_invitation_takes_six_queries(client, interview, api_key, said):
    assert invite(client, interview, api_key).status_code == 201
    assert len(said) <= 6, said  # one asks which other systems are told


def test_landing_page_takes_two_queries(client, invitation, said):
    assert client.get(f"/i/{invitation.token}/").status_code == 200
    assert len(said) <= 2, said


def test_consent_takes_seven_queries(client, rendered, make_invitation, said):
    invitation = make_invitation()
    form = consent_form(client.get(f"/i/{invitation.token}/").content.decode())
    said.clear()
    assert client.post(f"/i/{invitation.token}/", form).status_code == 302
    assert len(said) <= 7, said  # one asks which other systems are told


def test_room_takes_one_query(client, session, said):
    assert client.get(f"/i/{session.invitation.token}/room/").status_code == 200
    assert len(said) <= 1, said


def test_screens_are_kept_for_each_language(client, session):
    def page(language):
        with translation.override(language):
            return client.get(f"/i/{session.invitation.token}/room/", headers={"accept-language": language})

    first, again = page("en").content, page("en").content
    assert first == again
    assert b'<template id="screen-question">' in again


def test_consent_to_a_link_that_was_revoked_begins_nothing(make_invitation):
    invitation = make_invitation(status=Invitation.Status.REVOKED)
    with pytest.raises(WrongState):
        sessions.start(invitation=invitation, now=timezone.now())
    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_consent_pressed_twice_at_once_is_one_session(invitation, monkeypatch):
    has_begun, may_end = threading.Event(), threading.Event()

    def pause(*_, **__):
        has_begun.set()
        assert may_end.wait(PATIENCE_S)

    def start():
        try:
            own = Invitation.objects.select_related("interview").get(pk=invitation.pk)
            return sessions.start(invitation=own, now=timezone.now())
        finally:
            connections.close_all()

    monkeypatch.setattr(sessions.interviews, "request_texts", pause)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(start)
        assert has_begun.wait(PATIENCE_S)
        second = pool.submit(start)
        wait_for_a_lock()
        may_end.set()
        assert first.result(PATIENCE_S) == second.result(PATIENCE_S)
    assert Session.objects.count() == 1


def wait_for_a_lock():
    deadline = time.monotonic() + PATIENCE_S
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits for a row")


def test_texts_are_asked_for_once_whatever_their_number(interview, said):
    from interviews.actions.interviews import request_speech

    first = request_speech(interview=interview)
    assert len({row.pk for row in first}) == 4
    said.clear()
    assert request_speech(interview=interview) == first
    assert len(said) <= 2, said  # the questions and their speech


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("clean_redis")
class TestConnection:
    @pytest.fixture(autouse=True)
    async def tidy_up(self):
        yield
        await sync_to_async(connections.close_all)()

    @pytest.fixture
    def group_messages(self, monkeypatch):
        sent: list[dict] = []
        layer = get_channel_layer()

        async def group_send(group, message):
            sent.append(message)

        monkeypatch.setattr(layer, "group_send", group_send, raising=False)
        return sent

    async def enter(self, session, query=""):
        path = f"/ws/interviews/{session.invitation.token}/{query}"
        headers = [(b"origin", b"http://127.0.0.1"), (b"host", b"127.0.0.1")]
        socket = WebsocketCommunicator(application, path, headers=headers)
        assert (await socket.connect(timeout=PATIENCE_S))[0]
        assert (await socket.receive_json_from(timeout=PATIENCE_S))["type"] == "snapshot"
        return socket

    async def test_reconnect_takes_five_queries(self, session, said):
        first = await self.enter(session)
        await first.disconnect(timeout=PATIENCE_S)
        said.clear()
        second = await self.enter(session)
        assert len(said) <= 5, said
        await second.disconnect(timeout=PATIENCE_S)
        assert len(said) <= 6, said

    async def test_only_a_later_connection_is_announced(self, session, group_messages):
        first = await self.enter(session)
        assert group_messages == []
        second = await self.enter(session)
        assert group_messages == [{"type": "session.taken_over", "number": 2}]
        for socket in (first, second):
            await socket.disconnect(timeout=PATIENCE_S)


def test_length_of_an_interview_needs_no_query(interview, said):
    said.clear()
    seconds = estimate.expected_s(interview.published)
    assert said == []
    assert seconds == 60.0 * expected_minutes(interview.questions.all())
