from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from interviews.models import Interview
from tests.interviews.privacy.conftest import EMAIL, NAME, run_jobs
from tests.interviews.privacy.test_erasure import later
from voice.infra import redis_clients
from voice.models import PendingErasure

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


@pytest.fixture(autouse=True)
def empty_storage():
    """Files that other tests left belong to no row."""
    for folder in ("recordings", "speech", "voices", "batches"):
        _empty(folder)


def _empty(folder: str) -> None:
    if default_storage.exists(folder):
        folders, files = default_storage.listdir(folder)
        for file in files:
            default_storage.delete(f"{folder}/{file}")
        for each in folders:
            _empty(f"{folder}/{each}")


def prove(candidate, *words: str) -> tuple[bool, str]:
    """Return whether nothing was found, and what was printed."""
    out, status = StringIO(), 0
    try:
        call_command("prove_erasure", str(candidate.session.invitation_id), *words, stdout=out)
    except CommandError as error:
        status = error.returncode
    return status == 0, out.getvalue()


def test_before_the_erasure_it_finds_the_candidate_in_every_store(candidate):
    is_proven, report = prove(candidate)
    assert not is_proven
    for place in (
        "interviews_invitation.candidate_name: name in 1 rows",
        "interviews_invitation.candidate_email: e-mail in 1 rows",
        "interviews_answer.session_id: id in 4 rows",
        f"interviews:session:{candidate.session.pk}:tab: id",
        "recordings/",
    ):
        assert place in report
    assert NAME not in report
    assert EMAIL not in report


def test_after_the_erasure_it_finds_nothing_and_says_where_it_searched(candidate):
    token = candidate.session.invitation.token
    row = candidate.erase()
    assert not prove(candidate)[0]  # files still wait for their job

    run_jobs(row, now=later(row))
    is_proven, report = prove(candidate, "--name", NAME, "--email", EMAIL, "--token", token)
    assert (is_proven, report.splitlines()[-1]) == (True, "found: nothing")
    assert "interviews" not in report
    for store in ("PostgreSQL: ", "Redis: ", "object storage: ", "what belongs to no row: "):
        assert store in report


def test_what_an_erasure_left_somewhere_is_found(candidate):
    row = candidate.erase()
    run_jobs(row, now=later(row))
    Interview.objects.update(practice_question="How are you, ada  lovelace? ADA LOVELACE?")
    redis_clients.sync_client().lpush("somewhere", f"mail to {EMAIL}")
    default_storage.save("recordings/36b97233-df45-4cec-b61c-47f788138d3d/a.flac", ContentFile(b"speech"))
    default_storage.save("recordings/36b97233-df45-4cec-b61c-47f788138d3e/a.flac", ContentFile(b"speech"))
    PendingErasure.objects.create(store="recording", key="36b97233-df45-4cec-b61c-47f788138d3e")

    is_proven, report = prove(candidate, "--name", NAME, "--email", EMAIL)

    assert not is_proven
    for place in (
        "interviews_interview.practice_question: name in 1 rows",
        "somewhere: e-mail",
        "138d3d/a.flac: belongs to no row",
        "138d3e/a.flac: is being erased",
    ):
        assert place in report


def test_name_is_found_as_a_whole_only(candidate):
    row = candidate.erase()
    run_jobs(row, now=later(row))
    Interview.objects.update(practice_question="Adaptation")
    assert prove(candidate, "--name", "Ada")[0]
