"""A whole interview in Chromium, spoken into its microphone, also while processes are killed."""

import hashlib
import time
from contextlib import closing

import numpy as np
import pytest
import redis

from tests.browser.room import Room
from voice.audio import decoding
from voice.audio.pcm import samples_from_s16le
from voice.engines.stt.pocketsphinx import PocketSphinx

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.fixture
def room(page, speaking_stack) -> Room:
    return Room(page)


@pytest.fixture
def invitation(speaking_stack) -> str:
    return speaking_stack.invite()


def session_of(stack, url: str) -> str:
    return stack.invitation_of(url)["session_id"]


def recordings_of(stack, session_id: str) -> dict[str, dict]:
    query = """SELECT r.id, r.status, r.sha256, r.byte_count, r.storage_name, t.status, t.text, t.segments
               FROM interviews_answer a JOIN voice_recording r ON a.recording_id = r.id
               JOIN voice_transcript t ON t.recording_id = r.id
               WHERE a.session_id = %s AND a.kind = 'question' ORDER BY a.position"""
    names = ("id", "status", "sha256", "bytes", "name", "transcript", "text", "segments")
    rows = [dict(zip(names, row, strict=True)) for row in stack.rows(query, [session_id])]
    assert len({row["id"] for row in rows}) == len(rows)
    return {str(row["id"]): row for row in rows}


def wait_until_done(stack, session_id: str, count: int, within_s: float = 240) -> None:
    deadline = time.monotonic() + within_s
    while True:
        rows = recordings_of(stack, session_id).values()
        if sum(r["status"] == "stored" and r["transcript"] == "done" for r in rows) == count:
            return
        assert time.monotonic() < deadline, stack.last_lines()
        time.sleep(0.1)


@pytest.fixture(scope="module")
def offline_engine():
    engine = PocketSphinx()
    engine.load()
    return engine


def assert_nothing_is_missing(stack, room: Room, session_id: str, engine) -> None:
    """Check that each recording equals the browser's, and each transcript the engine's offline result."""
    kept, stored = room.kept(), recordings_of(stack, session_id)
    assert len(stored) == 3
    for recording_id, row in stored.items():
        pcm = kept[recording_id]
        assert len(pcm) == row["bytes"] >= 32_000
        assert hashlib.sha256(pcm).hexdigest() == row["sha256"]
        path = stack.directory / "media" / row["name"]
        assert decoding.decode_flac(path.read_bytes())[0] == pcm
        samples = samples_from_s16le(pcm)
        assert float(np.abs(samples).max()) > 0.01, "the microphone was silent"
        assert row["text"] == engine.recognize(samples, language="en").text
        assert row["text"]


@pytest.fixture
def take_interview(speaking_stack, room, invitation, offline_engine):
    """A function that takes a whole interview (see `Room.answer_three_questions`) without any loss."""

    def take(speak, then=lambda n: None):
        room.answer_three_questions(invitation, speak, then)
        session_id = session_of(speaking_stack, invitation)
        wait_until_done(speaking_stack, session_id, 3)
        assert_nothing_is_missing(speaking_stack, room, session_id, offline_engine)

    return take


def test_interview_with_every_trouble_is_stored_and_transcribed_sample_for_sample(
    speaking_stack, room, take_interview
):
    """Each trouble in an answer of its own; the following tests have one in a whole interview."""
    troubles = [reload, kill_connections, lose_network]

    def speak(n):
        room.speak(1)
        troubles[n](speaking_stack, room)
        room.speak(1.5)

    take_interview(speak)


@pytest.mark.proof
def test_interview_is_stored_and_transcribed_sample_for_sample(room, take_interview):
    take_interview(lambda n: room.speak(3 if n == 0 else 2))


@pytest.mark.proof
def test_web_process_killed_in_an_answer_loses_nothing(speaking_stack, room, take_interview):
    def speak(n):
        room.speak(1.5)
        if n == 1:
            kill_connections(speaking_stack, room)
            room.speak(2)
        room.speak(0.5)

    take_interview(speak)


@pytest.mark.proof  # tests/flows/test_rolling_restart.py does so for a candidate without a browser
def test_web_processes_replaced_in_an_answer_are_not_noticed(speaking_stack, room, take_interview):
    def speak(n):
        room.speak(1)
        if n == 1:
            room.page.evaluate(COLLECT_BANNERS)
            speaking_stack.restart("web")
        room.speak(1)

    take_interview(speak)

    assert room.page.evaluate("window.banners") == []


COLLECT_BANNERS = """() => {
    window.banners = [];
    const banner = document.getElementById("banner");
    const collect = () => banner.textContent && window.banners.push(banner.textContent);
    new MutationObserver(collect).observe(banner, { childList: true });
}"""


@pytest.mark.proof  # tests/faults/test_processes.py kills one, without browsers
def test_worker_killed_in_a_transcription_loses_nothing(speaking_stack, room, take_interview):
    def then(n):
        if n == 0:
            kill_during_transcription(speaking_stack)

    take_interview(lambda n: room.speak(6 if n == 0 else 2), then)


def kill_during_transcription(stack) -> None:
    """Kill the speech workers once one of them has started a final transcript."""
    with closing(redis.Redis.from_url(stack.env["REDIS_URL"])) as client:
        deadline = time.monotonic() + 120
        while not any(client.scan_iter("rq:execution:transcribe-*", count=1000)):
            assert time.monotonic() < deadline, "no transcription began"
    stack.kill("speech")


@pytest.mark.proof
def test_reload_in_an_answer_goes_on_where_it_was(speaking_stack, room, take_interview):
    def speak(n):
        room.speak(2)
        if n == 0:
            reload(speaking_stack, room)
            room.speak(2)

    take_interview(speak)


@pytest.mark.proof
def test_network_lost_for_a_while_is_recorded_too(speaking_stack, room, take_interview):
    def speak(n):
        room.speak(1)
        if n == 0:
            lose_network(speaking_stack, room)
        room.speak(1)

    take_interview(speak)


def reload(stack, room: Room) -> None:
    room.page.reload()
    room.wait_for("resume")
    room.press("continue")
    room.wait_for("record")


def lose_network(stack, room: Room) -> None:
    room.page.context.set_offline(True)
    kill_connections(stack, room)  # Chromium's offline mode leaves open WebSockets alone
    room.speak(5)
    room.page.context.set_offline(False)


def kill_connections(stack, room: Room) -> None:
    """Kill both web processes; one of them holds the connection."""
    for index in (0, 1):
        stack.kill("web", index)
