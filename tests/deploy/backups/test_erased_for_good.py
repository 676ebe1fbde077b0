"""With encryption at rest, no older backup makes a recording of an erased candidate readable again."""

import hashlib
from collections.abc import Iterator

import psycopg
import pytest

from tests.deploy.backups import hosts
from tests.deploy.backups.platform import Site, site
from tests.deploy.backups.test_rehearsal import Interview, erase, take, this_second, wait_archived
from voice.encryption import blocks

pytestmark = [pytest.mark.proof, pytest.mark.timeout(900)]

KEYS_BUCKET = "interviews-keys"
ROWS = """
SELECT r.id::text, r.storage_name, r.sha256, r.data_key::text FROM interviews_answer a
JOIN interviews_session s ON s.id = a.session_id JOIN voice_recording r ON r.id = a.recording_id
WHERE a.kind = 'question' AND r.status = 'stored' AND s.invitation_id = %s ORDER BY a.position
"""


@pytest.fixture
def place(run_directory, whisper_model, piper_voices) -> Iterator[Site]:
    if lacking := hosts.missing():
        pytest.skip(lacking)
    models = {"WHISPER_MODEL": str(whisper_model), "PIPER_VOICES_DIR": str(piper_voices)}
    settings = {"ENCRYPTION": "true", "ENCRYPTION_KEYS": "e" * 43, "KEYS_BUCKET": KEYS_BUCKET}
    with site(run_directory / "erased", models, **settings) as made:
        made.objects.make_bucket(KEYS_BUCKET)
        yield made


def rows(place: Site, interview: Interview) -> list[tuple[str, str, str, str]]:
    with psycopg.connect(place.database) as connection:
        return connection.execute(ROWS, [interview.id]).fetchall()


def restored(place: Site, second: str) -> str:
    """Restore, and return what the script said. It fails, for it misses the keys of those who were erased."""
    with pytest.raises(RuntimeError) as failure:
        place.run("restore.sh", TIME=second)
    said = str(failure.value)
    assert "PostgreSQL and object storage do not agree in everything" in said
    return said


def check(place: Site, said: str, erased: list[Interview], others: list[Interview]) -> None:
    """Of the erased, rows and files are back and none can be decrypted; the others have what they said."""
    lost = [row for interview in erased for row in rows(place, interview)]
    keys = {name.rpartition("/")[2] for name in place.objects.names("keys/", KEYS_BUCKET)}
    assert len(lost) == 3 * len(erased)
    for recording, name, _digest, key in lost:
        assert place.objects.read(name)[:4] == blocks.MAGIC
        assert key not in keys
        assert f"recording {recording} (stored): its data key is gone" in said
    assert said.count("its data key is gone") == len(lost)
    for interview in others:
        found = rows(place, interview)
        assert [row[2] for row in found] == [hashlib.sha256(each).hexdigest() for each in interview.said]
        assert {row[3] for row in found} <= keys
        assert not [row[0] for row in found if f"recording {row[0]}" in said]


async def test_a_restore_of_what_was_written_before_an_erasure_makes_nothing_readable(place):
    place.manage("migrate", "--verbosity", "0")
    with place.platform("first") as first:
        interviews = [await take(first, number) for number in range(4)]
        place.run("backup.sh")
        wait_archived(place)
        second = this_second(place).isoformat()
        wait_archived(place)
        for interview in interviews[:2]:
            erase(first, interview)
    place.postgresql.lose()
    place.objects.empty()  # with the notes about erasures; the copies are of before
    place.redis.kill()
    place.redis.empty()
    place.redis.start()

    said = restored(place, second)

    assert "candidates erased again: 0" in said
    check(place, said, interviews[:2], interviews[2:])

    place.run("backup.sh", "keys")  # after the erasure; then the data keys are lost as well
    place.lose_everything()
    place.objects.start()
    place.objects.make_bucket(KEYS_BUCKET)
    place.redis.start()

    said = restored(place, second)

    assert "data keys are back" in said
    check(place, said, interviews[:2], interviews[2:])
