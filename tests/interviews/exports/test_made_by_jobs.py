"""Files that programs ask for: made by a job, fetched with a key, gone after a day or with a candidate."""

import csv
import hashlib
import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError, connections, transaction
from django.utils import timezone

from accounts.audit.models import AuditEntry
from accounts.models import ApiKey
from interviews import jobs
from interviews.actions import decisions, erasure, exports, personal_data
from interviews.exports import making
from interviews.models import Export, Invitation
from tests import factories
from tests.interviews.api.conftest import calling  # noqa: F401
from voice.infra import object_storage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
Scope = ApiKey.Scope


@pytest.fixture
def api(calling, ours):  # noqa: F811
    return calling(ours, Scope.EXPORTS_READ, Scope.EXPORTS_WRITE)


@pytest.fixture
def ask(api):
    """A function that asks for an export and returns its row."""

    def with_wanted(kind="candidates_csv", **wanted):
        status, body = api("post", "/exports", {"kind": kind, **wanted})
        assert status == 202, body
        return Export.objects.get(pk=body["id"])

    return with_wanted


def made(export) -> bytes:
    making.make(export.pk)
    export.refresh_from_db()
    assert export.status == "done"
    with default_storage.open(export.storage_name) as file:
        return file.read()


def fetched(api, export) -> int:
    status, response = api("get", f"/exports/{export.pk}/file")
    assert b"".join(response.streaming_content)
    return status


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_table_is_made_and_fetched(api, ask, session):
    export = ask()
    path = f"/exports/{export.pk}"
    assert api("get", f"{path}/file")[0] == 409
    content = made(export)

    _status, told = api("get", path)
    status, response = api("get", f"{path}/file")

    assert (told["status"], told["done_count"], told["total"]) == ("done", 1, 1)
    assert (told["byte_count"], told["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert told["url"] == f"/api/v1{path}/file"
    assert b"".join(response.streaming_content) == content
    assert (status, response["Content-Length"]) == (200, str(len(content)))
    entry = AuditEntry.objects.filter(door="fetch_export", outcome="allowed").get()
    assert (entry.kind, entry.candidates) == ("exported", [session.invitation_id])
    [row] = table(content)
    assert row["candidate"] == "Zoë Brontë"
    assert "decision" not in row


def test_archive_has_the_recordings(ask, session):
    export = ask("recordings_zip")
    found = zipfile.ZipFile(io.BytesIO(made(export)))
    with default_storage.open(session.answers.get(position=1).recording.storage_name) as stored:
        assert found.read(found.namelist()[0]) == stored.read()
    assert (export.done_count, export.total) == (2, 2)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"status": "finished"}, 1),
        ({"status": "abandoned"}, 0),
        ({"begun_before": "2020-01-01T00:00:00Z"}, 0),
    ],
)
def test_filters_choose_who_is_in_it(ask, session, wanted, count):
    assert len(table(made(ask(**wanted)))) == count


def test_scores_need_a_key_that_may_read_them(api, calling, ours, session):  # noqa: F811
    decisions.decide(
        session=session,
        outcome="advance",
        reason="kind",
        after=None,
        by=factories.UserFactory(),
        now=timezone.now(),
    )
    wanted = {"kind": "candidates_csv", "with_scores": True}
    status, body = api("post", "/exports", wanted)
    assert (status, body["scope"]) == (403, "scores:read")

    judging = calling(ours)
    export = Export.objects.get(pk=judging("post", "/exports", wanted)[1]["id"])
    [row] = table(made(export))
    assert (row["decision"], row["scorecards"]) == ("advance", "0")
    assert api("get", f"/exports/{export.pk}/file")[0] == 403
    assert fetched(judging, export) == 200


def test_erasure_of_a_candidate_ends_the_file(api, ask, session):
    export, other = ask(), ask(status="abandoned")
    made(export)
    made(other)

    row = erasure.erase_candidate(invitation=session.invitation, by="test", now=timezone.now())
    erasure.complete(erasure=row, now=timezone.now())

    export.refresh_from_db()
    assert (export.status, export.candidates) == ("ended", [])
    assert object_storage.names(export.directory) == []
    assert api("get", f"/exports/{export.pk}/file")[0] == 409
    assert fetched(api, other) == 200
    assert personal_data.STORES["exported"].find(str(session.invitation_id)) == []


def test_file_that_is_being_made_while_a_candidate_is_erased_is_not_offered(ask, session, monkeypatch):
    export, stored = ask(), making._stored

    def erase_meanwhile(*args):
        erasure.erase_candidate(invitation=session.invitation, by="test", now=timezone.now())
        return stored(*args)

    monkeypatch.setattr(making, "_stored", erase_meanwhile)
    making.make(export.pk)

    export.refresh_from_db()
    assert export.status == "ended"
    assert object_storage.names(export.directory) == []


@pytest.mark.django_db(transaction=True)
def test_candidates_cannot_be_erased_while_they_are_written_down(ask, session, monkeypatch):
    export, begin, refused = ask(), exports.begin, []

    def lock() -> None:
        """Lock the candidate as an erasure does, by another connection."""
        try:
            with transaction.atomic():
                Invitation.objects.select_for_update(nowait=True).get(pk=session.invitation_id)
        except OperationalError as error:
            refused.append(error)
        finally:
            connections.close_all()

    def erase_meanwhile(**values):
        with ThreadPoolExecutor(1) as threads:
            threads.submit(lock).result()
        return begin(**values)

    monkeypatch.setattr(exports, "begin", erase_meanwhile)
    making.make(export.pk)

    assert len(refused) == 1
    export.refresh_from_db()
    assert (export.status, export.candidates) == ("done", [session.invitation_id])


def test_second_run_of_the_job_does_nothing(ask, session):
    export = ask()
    made(export)
    making.make(export.pk)
    assert len(object_storage.names(export.directory)) == 1


def test_job_that_fails_is_tried_again_and_then_given_up(ask, session, monkeypatch):
    export = ask()

    def is_away(*args):
        raise ConnectionError

    monkeypatch.setattr(making, "_stored", is_away)
    for _ in range(exports.MAX_ATTEMPTS):
        Export.objects.update(retry_at=timezone.now() - timedelta(seconds=1))
        assert list(exports.due(now=timezone.now())) == [export]
        with pytest.raises(ConnectionError):
            making.make(export.pk)
        assert not exports.due(now=timezone.now()).exists()
    export.refresh_from_db()
    assert (export.status, export.candidates) == ("failed", [])


def test_file_is_deleted_after_a_day(ask, session):
    export = ask()
    made(export)
    Export.objects.update(created_at=timezone.now() - Export.KEPT)
    jobs.sweep_exports()
    assert not Export.objects.exists()
    assert object_storage.names(export.directory) == []


def test_program_deletes_a_file_before(api, ask, session):
    export = ask()
    made(export)
    assert api("delete", f"/exports/{export.pk}")[0] == 204
    assert object_storage.names(export.directory) == []


def test_only_so_many_are_kept(api, ask, monkeypatch):
    monkeypatch.setattr(exports, "MOST_KEPT", 1)
    ask()
    assert api("post", "/exports", {"kind": "candidates_csv"})[0] == 409


def test_other_organisations_find_no_export(calling, ask, session, interview):  # noqa: F811
    export = ask()
    made(export)
    foreign = calling(factories.OrganisationFactory())
    for method, path in (("get", ""), ("get", "/file"), ("delete", "")):
        assert foreign(method, f"/exports/{export.pk}{path}")[0] == 404
    assert foreign("get", "/exports")[1]["items"] == []
    wanted = {"kind": "candidates_csv", "interview_id": str(interview.pk)}
    assert foreign("post", "/exports", wanted)[0] == 404
