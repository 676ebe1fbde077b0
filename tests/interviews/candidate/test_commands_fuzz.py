"""Every command of the candidate's socket in every state, with values that nobody should send.

Whatever comes, the socket answers or closes as docs/candidate-socket.md says, logs no traceback, and what is
stored stays as the table of states allows.
"""

import json
import logging
import random
from itertools import product

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from interviews.candidate.commands import COMMANDS
from interviews.models import Answer, Invitation
from interviews.queries import rows
from interviews.states import AnswerStatus, SessionStatus
from tests import factories
from tests.interviews.candidate.test_consumer import FRAME, Browser
from tests.sizes import sizes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

ODD = [
    None, True, -1, 0, 1.5, 10**30, float("1e308"), "", "\0", "x" * 20_000, "\ud800", "٣", [], [[]], {},
    {"a": 1}, "00000000-0000-0000-0000-000000000000", "{00000000000000000000000000000000}",
]  # fmt: skip
TEXTS = ["An answer.", "\0", "\u202e\U0001f600", " "]
REFUSALS = {
    "bad_message", "unknown_command", "not_yours", "wrong_state", "bad_value", "audio_missing",
    "not_recording", "bad_frame", "gap", "over_limit", "slow_down",
}  # fmt: skip


@pytest.fixture(autouse=True)
async def tidy_up():
    yield
    while Browser.opened:
        await Browser.opened.pop().close()


def make(session_status: str, answer_status: str) -> tuple[str, list[str]]:
    """Return a link and the ids of its answers. The session has this status, its second answer that one."""
    has_ended = session_status == SessionStatus.FINISHED
    invitation = factories.InvitationFactory(
        status=Invitation.Status.FINISHED if has_ended else Invitation.Status.STARTED
    )
    session = factories.SessionFactory(
        invitation=invitation, status=session_status, finished_at=timezone.now() if has_ended else None
    )
    has_recording = answer_status in ("recording", "recorded", "accepted")
    answers = [
        factories.AnswerFactory(session=session, practice=True),
        factories.AnswerFactory(
            session=session,
            position=1,
            status=answer_status,
            recording=factories.RecordingFactory(sealed=answer_status != "recording")
            if has_recording
            else None,
            retakes_left=1,
        ),
        factories.AnswerFactory(session=session, position=2),
    ]
    return invitation.token, [str(answer.pk) for answer in answers]


def message(chance: random.Random, ids: list[str]) -> str | bytes:
    """Return one message: mostly a command with fields that are right or odd."""
    if chance.random() < 0.1:
        return chance.choice([b"", b"1234567", FRAME, bytes(8), b"\xff" * 9])
    fields: dict = {"type": chance.choice([*COMMANDS, "ping", "no_such_command"])}
    for name, right in (("answer", ids), ("bytes", [0, len(FRAME)]), ("text", TEXTS)):
        if chance.random() < 0.85:
            fields[name] = chance.choice(right if chance.random() < 0.6 else ODD)
    if chance.random() < 0.05:
        fields["type"] = chance.choice(ODD)
    text = json.dumps(fields)
    return text[: chance.randrange(len(text))] if chance.random() < 0.03 else text


async def talk(browser: Browser, messages: list[str | bytes]) -> set[str]:
    """Send the messages; return the codes of the errors, after the last was answered."""
    for sent in messages:
        kind = "bytes" if isinstance(sent, bytes) else "text"
        await browser.socket.send_input({"type": "websocket.receive", kind: sent})
    await browser.say("ping")
    codes, pings = set(), 1 + sum(is_ping(sent) for sent in messages)
    while pings:
        got = await browser.next()
        pings -= got["type"] == "pong"
        if got["type"] == "error":
            codes.add(got["code"])
    return codes


def is_ping(sent: str | bytes) -> bool:
    try:
        return json.loads(sent)["type"] == "ping"
    except (ValueError, TypeError, KeyError):
        return False


def assert_sound(token: str) -> None:
    """Rows are in a state that the actions allow."""
    _invitation, session = rows.link(token)
    for answer in session.answers.all():
        assert answer.retakes_left in (0, 1)
        if answer.status == Answer.Status.ACCEPTED and answer.kind == Answer.Kind.QUESTION:
            assert answer.typed_text or answer.recording_id
        assert "\0" not in answer.typed_text


@sizes("each", short=8, proof=800)
@pytest.mark.parametrize(
    ("session_status", "answer_status"), list(product(map(str, SessionStatus), map(str, AnswerStatus)))
)
async def test_no_command_in_any_state_is_an_error_of_ours(session_status, answer_status, each, caplog):
    chance = random.Random(f"{session_status} {answer_status}")
    token, ids = await sync_to_async(make)(session_status, answer_status)
    browser = Browser(token)
    await browser.open()
    for _ in range(each // 8):
        codes = await talk(browser, [message(chance, ids) for _ in range(8)])
        assert codes <= REFUSALS

    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []
    await sync_to_async(assert_sound)(token)


@pytest.mark.parametrize("answer_status", list(map(str, AnswerStatus)))
@pytest.mark.parametrize("command", list(COMMANDS))
async def test_every_command_is_answered_in_every_state_of_an_answer(command, answer_status, caplog):
    token, ids = await sync_to_async(make)(str(SessionStatus.UNDER_WAY), answer_status)
    browser = Browser(token)
    await browser.open()
    sent = json.dumps({"type": command, "answer": ids[1], "bytes": 0, "text": "An answer."})

    assert await talk(browser, [sent]) <= REFUSALS
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []
