from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.voice.recordings.test_recovery import delete_files, stored
from voice.models import PendingErasure, Recording
from voice.recordings import storage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


@pytest.fixture(autouse=True)
def other_media(settings, tmp_path):
    """Files that other tests left belong to no row."""
    settings.MEDIA_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}},
    }


def verify(*options: str) -> tuple[bool, str]:
    """Return whether all recordings are whole, and what was printed."""
    out = StringIO()
    try:
        call_command("verify_recordings", *options, stdout=out)
    except CommandError:
        return False, out.getvalue()
    return True, out.getvalue()


def test_whole_recordings_are_counted():
    stored()

    assert verify() == (True, "recordings: 1, not whole: 0, without a row: 0\n")


def test_a_lost_file_fails_the_command():
    recording = stored()
    delete_files(recording)

    is_whole, report = verify("--names-only")

    assert not is_whole
    assert f"recording {recording.pk} (stored): its file is gone" in report


def test_only_reading_finds_a_damaged_file():
    recording = stored()
    default_storage.save(recording.storage_name, ContentFile(b"no FLAC"))

    assert verify("--names-only")[0]
    assert not verify()[0]


def test_mending_erases_what_has_no_row_and_mends_what_grows():
    stranger, growing = uuid4(), Recording.objects.create(max_bytes=2000, segment_ends=[1000])
    default_storage.save(storage.segment_name(stranger, 0, 4), ContentFile(b"0000"))

    is_whole, report = verify("--mend")

    growing.refresh_from_db()
    assert not is_whole
    assert growing.segment_ends == []
    assert f"recording {growing.pk}: not whole" in report
    assert PendingErasure.objects.filter(store="recording", key=str(stranger)).exists()


def test_only_what_is_new_is_looked_at_where_that_is_wanted():
    old = stored()
    delete_files(old)
    Recording.objects.update(stored_at=timezone.now() - timedelta(hours=2))

    assert verify("--hours", "1", "--mend") == (True, "recordings: 0, not whole: 0\n")
    assert not verify("--hours", "3")[0]
