import csv
import hashlib
import io
import tracemalloc
import zipfile
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone, translation
from django.utils.translation import gettext

from interviews.exports import archive
from interviews.models import Session
from interviews.queries import records
from interviews.queries.records import RecordingRow
from tests import factories
from tests.sizes import sizes

pytestmark = pytest.mark.django_db


def opened(rows) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(archive.stream(rows, now=timezone.now()))))


def contents_of(found: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(found.read("contents.csv").decode("utf-8-sig"), newline="")))


def recordings(session) -> list[RecordingRow]:
    return records.recordings(Session.objects.filter(pk=session.pk), at_most=100)


def test_recordings_are_the_stored_files_and_are_listed(session):
    found = opened(recordings(session))
    [first, second] = contents_of(found)
    recording = session.answers.get(position=1).recording

    content = found.read(first["file"])
    with default_storage.open(recording.storage_name) as stored:
        assert content == stored.read()
    assert first["file"] == f"Zoë Brontë {session.pk.hex[:8]}/01.flac"
    assert first["SHA-256 of the file"] == hashlib.sha256(content).hexdigest()
    assert first["SHA-256 of the samples (16 bits, 16 000 Hz, mono)"] == recording.sha256
    assert (second["file"], second["missing because"]) == ("", "answered in writing")
    assert found.namelist() == [first["file"], "contents.csv"]


def test_what_is_not_stored_is_named(session):
    growing = factories.RecordingFactory(sealed=True)
    factories.AnswerFactory(session=session, position=3, status="accepted", recording=growing)
    factories.AnswerFactory(session=session, position=4)
    gone = factories.RecordingFactory(stored=True, pcm=factories.tone(1.0))
    factories.AnswerFactory(session=session, position=5, status="accepted", recording=gone)
    default_storage.delete(gone.storage_name)

    listed = contents_of(opened(recordings(session)))

    assert [line["missing because"] for line in listed] == [
        *("", "answered in writing", "not stored yet", "nothing was recorded", "not there any more"),
    ]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/abs", "C:\\x", "a\0b", "..", "con", "💥", "x" * 300])
def test_no_name_leads_out_of_the_archive(name, tmp_path):
    storage_name = default_storage.save("recordings/one.flac", io.BytesIO(b"fLaC"))
    row = RecordingRow(uuid4(), uuid4(), name, 1, 0, "?", "", "stored", storage_name, "00", 4, None)
    found = opened([row])

    found.extractall(tmp_path)

    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["01.flac", "contents.csv"]
    assert len(list(tmp_path.iterdir())) == 2
    assert all(part not in ("..", ".", "") for entry in found.namelist() for part in entry.split("/"))


def test_recordings_of_two_candidates_of_one_name_lie_apart(interview):
    both = [
        factories.SessionFactory(invitation__interview=interview, invitation__candidate_name="Ada")
        for _ in range(2)
    ]
    for session in both:
        factories.AnswerFactory(session=session, position=1, accepted=True)
    rows = records.recordings(Session.objects.all(), at_most=100)
    assert len({name.split("/")[0] for name in opened(rows).namelist()}) == 3


@sizes("count", short=10, proof=200)
def test_memory_stays_flat(count):
    """Two minutes of speech are 2 MiB as FLAC."""
    name = default_storage.save("recordings/long.flac", io.BytesIO(b"\x5a" * 2 * 2**20))
    row = RecordingRow(uuid4(), uuid4(), "Ada", 1, 0, "?", "", "stored", name, "00", 120 * 32_000, None)
    rows = [row._replace(position=n) for n in range(count)]
    tracemalloc.start()
    size_bytes = sum(len(piece) for piece in archive.stream(rows, now=timezone.now()))
    _now, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    print(f"{count} recordings, {size_bytes / 1e6:.0f} MB, at most {peak_bytes / 1e6:.2f} MB in memory")
    assert size_bytes > count * 2 * 2**20
    assert peak_bytes < 2 * 2**20, "less than one recording"


def test_archive_is_written_in_the_language_and_time_zone_in_which_it_was_asked_for(session):
    now = timezone.now()
    with translation.override("de"), timezone.override("Asia/Tokyo"):
        pieces = archive.stream(recordings(session), now=now)
        comment = f"{timezone.localtime(now):%Y-%m-%d %H:%M %Z}"
        in_german = gettext("question")
    found = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))

    assert found.comment.decode() == comment
    assert in_german != "question"
    assert in_german in found.read("contents.csv").decode("utf-8-sig")
