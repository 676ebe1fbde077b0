"""A disaster and what comes after it: the whole platform is restored on empty hosts, at a chosen second."""

import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import psycopg
import pytest

from tests import candidate
from tests.deploy.backups import hosts
from tests.deploy.backups.platform import Site, come_back, finish, site
from tests.faults.crowd import said
from tests.faults.waiting import wait_for
from tests.stack import Stack, link_token
from voice.audio import decoding

pytestmark = [pytest.mark.proof, pytest.mark.timeout(900)]

SECONDS = (3, 45, 3)
"""Of the answers. The second is long enough for a segment in object storage while it grows."""
WHOLE = "not whole: 0, without a row: 0"
FILES = """
SELECT r.storage_name FROM interviews_answer a JOIN interviews_session s ON s.id = a.session_id
JOIN voice_recording r ON r.id = a.recording_id
WHERE a.kind = 'question' AND r.status = 'stored' AND s.invitation_id = %s ORDER BY a.position
"""


@dataclass
class Interview:
    """What one candidate says."""

    link: str
    id: str
    said: list[memoryview]


@pytest.fixture
def place(run_directory, whisper_model, piper_voices) -> Iterator[Site]:
    if lacking := hosts.missing():
        pytest.skip(lacking)
    models = {"WHISPER_MODEL": str(whisper_model), "PIPER_VOICES_DIR": str(piper_voices)}
    with site(run_directory / "rehearsal", models) as made:
        yield made


def invited(stack: Stack, number: int) -> Interview:
    link = stack.invite()
    speech = [said(number, position, seconds) for position, seconds in enumerate(SECONDS)]
    return Interview(link, stack.invitation_of(link)["id"], speech)


async def take(stack: Stack, number: int) -> Interview:
    """Take a whole interview."""
    interview = invited(stack, number)
    await candidate.take_interview(interview.link, interview.said)
    return interview


@contextlib.asynccontextmanager
async def speaking(stack: Stack, number: int) -> AsyncIterator[tuple[Interview, candidate.Candidate]]:
    """Give the first answer, and begin the second, of which a segment lies in object storage."""
    interview = invited(stack, number)
    await candidate.consent(interview.link)
    async with candidate.connected(interview.link) as page:
        await page.say("devices_checked")
        await page.event("devices_checked")
        await page.say("skip_practice")
        await page.event("practice_skipped")
        first = await page.begin()
        await page.speak(interview.said[0])
        await finish(page, first["answer"], interview.said[0])
        await page.begin()
        await page.speak(interview.said[1])
        wait_for(lambda: segments(stack, interview), "a segment")
        yield interview, page


def segments(stack: Stack, interview: Interview) -> bool:
    query = (
        "SELECT FROM interviews_answer a JOIN interviews_session s ON s.id = a.session_id"
        " JOIN voice_recording r ON r.id = a.recording_id"
        " WHERE s.invitation_id = %s AND r.status = 'open' AND r.segment_ends <> '{}'"
    )
    return bool(stack.rows(query, [interview.id]))


def is_as_said(site: Site, interview: Interview) -> bool:
    """Whether the stored recordings are, sample by sample, what was said."""
    with psycopg.connect(site.database) as connection:
        stored = connection.execute(FILES, [interview.id]).fetchall()
    return [decoding.decode_flac(site.objects.read(name))[0] for (name,) in stored] == [
        bytes(answer) for answer in interview.said
    ]


def this_second(site: Site) -> datetime:
    """Return a second that is over, and before everything that comes."""
    now = datetime.now(UTC).replace(microsecond=0)
    wait_for(lambda: datetime.now(UTC).timestamp() > now.timestamp() + 2, "the next second")
    return datetime.fromtimestamp(now.timestamp() + 1, UTC)


def wait_archived(site: Site) -> None:
    """Wait until the log so far lies in the repository."""
    query = "SELECT last_archived_time > %s FROM pg_stat_archiver"
    with psycopg.connect(site.database, autocommit=True) as connection:
        connection.execute("SELECT pg_switch_wal()")
        since = connection.execute("SELECT clock_timestamp()").fetchone()
        wait_for(lambda: connection.execute(query, since).fetchone()[0], "the log to be archived")


def erase(stack: Stack, interview: Interview) -> None:
    headers = {"Authorization": f"Bearer {stack.demo['api_key']}"}
    erasure = httpx.delete(
        f"{stack.url}/api/v1/invitations/{interview.id}/candidate", headers=headers, timeout=60
    ).json()
    of_it = f"/api/v1/erasures/{erasure['id']}"
    key = stack.demo["api_key"]
    wait_for(lambda: stack.get(of_it, api_key=key)["status"] == "done", "the erasure")


async def test_a_platform_is_restored_at_a_chosen_second(place, capsys):
    place.manage("migrate", "--verbosity", "0")
    with place.platform("first") as first:
        before = [await take(first, number) for number in range(3)]
        place.run("backup.sh")
        between = [await take(first, number) for number in (3, 4)]
        async with speaking(first, 5) as (midway, page), speaking(first, 6) as (silent, _):
            chosen = this_second(place)
            rows = place.rows(but=before[0].id)
            after = await take(first, 7)
            current = page.current
            await finish(page, current, midway.said[1])
            resumed = await page.begin()
            await page.speak(midway.said[2])
            await finish(page, resumed["answer"], midway.said[2])
            await page.until(lambda _: candidate.is_over(page.state))
        erase(first, before[0])
        place.run("backup.sh", "objects")
        wait_archived(place)
    place.lose_everything()
    place.objects.start()
    place.redis.start()

    began = time.monotonic()
    said_by_script = place.run("restore.sh", TIME=chosen.isoformat())
    restored_s = time.monotonic() - began

    assert place.rows(but=before[0].id) == rows
    assert "candidates erased again: 1" in said_by_script
    with place.platform("second") as second:
        ready_s = time.monotonic() - began
        assert all(is_as_said(place, interview) for interview in [*before[1:], *between])
        assert not place.rows(of=after.id) | place.rows(of=before[0].id)
        went_on = [await come_back(each.link, second, each.said) for each in (midway, silent)]
        assert is_as_said(place, midway)
        assert is_as_said(place, silent)
        assert went_on[0] == len(midway.said[1])
        wait_for(
            lambda: "not whole: 0, without a row: 0" in second.manage("verify_recordings"), "no stranger"
        )
        waiting = "SELECT FROM interviews_erasure WHERE status = 'waiting'"
        wait_for(lambda: not second.rows(waiting), "the erasure to be complete again")
        token = f"--token={link_token(before[0].link)}"
        assert second.manage("prove_erasure", before[0].id, token).endswith("found: nothing\n")
    with capsys.disabled():
        print(f"\nrestore {restored_s:.1f} s, ready after {ready_s:.1f} s; went on from bytes {went_on}")
