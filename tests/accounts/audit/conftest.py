import pytest
from django.utils import timezone

from accounts.audit import chain, heads
from accounts.audit.recording import Entry, Kind, record
from tests.staff import member, ours, theirs  # noqa: F401


@pytest.fixture
def media(settings, tmp_path):
    """Object storage of this test alone."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "interview_platform.backends.storage.LastingFileStorage",
            "OPTIONS": {"location": tmp_path},
        }
    }
    return tmp_path


@pytest.fixture
def chained(db, media):
    """Nine entries of two organisations and of the platform, linked, with their heads kept."""
    for number in range(9):
        record(Entry(Kind.READ, f"page {number}", timezone.now()), organisations=[(7, 8, None)[number % 3]])
    chain.extend()
    heads.keep(timezone.now())
