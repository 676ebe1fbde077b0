"""A database that is restored knows candidates again who were erased since."""

from io import StringIO

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command

from interviews.actions import erasure_notes
from interviews.models import Erasure, Invitation
from tests.interviews.privacy.conftest import run_jobs
from tests.interviews.privacy.test_erasure import later

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def note(candidate):
    note = erasure_notes.digest(candidate.session.invitation_id)
    yield note
    default_storage.delete(f"erasures/{note}")


def erase_again() -> str:
    out = StringIO()
    call_command("erase_again", stdout=out)
    return out.getvalue()


def test_a_complete_erasure_is_noted_outside_the_database(candidate, note):
    row = candidate.erase()
    run_jobs(row, now=later(row))

    assert note in erasure_notes.all_notes()
    assert erasure_notes.read(note) == Erasure.Source.RETENTION
    assert row.note == ""


def test_an_erasure_waits_for_the_storage_that_takes_its_note(candidate, note, monkeypatch):
    def away(*_):
        raise OSError("away")

    row = candidate.erase()
    with monkeypatch.context() as patch:
        patch.setattr(erasure_notes, "write", away)
        with pytest.raises(OSError, match="away"):
            run_jobs(row)

    row.refresh_from_db()
    assert (row.status, row.note) == (Erasure.Status.WAITING, note)


def test_a_note_does_not_name_the_invitation(candidate, note):
    assert str(candidate.session.invitation_id) not in note


def test_a_candidate_who_came_back_with_a_restore_is_erased_again(candidate, note):
    erasure_notes.write(note, Erasure.Source.CANDIDATE)

    assert erase_again() == "candidates erased again: 1\n"

    assert not Invitation.objects.exists()
    assert Erasure.objects.get().source == Erasure.Source.CANDIDATE


def test_others_stay(candidate):
    assert erase_again() == "candidates erased again: 0\n"

    assert Invitation.objects.exists()
