"""What somebody with the rights of the tables' owner did to the audit is found by the command."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.audit import chain, heads, jobs, keys, verification
from accounts.audit.models import AuditCheckpoint, AuditEntry, AuditLink
from accounts.audit.recording import Entry, Kind, record
from accounts.metrics import AUDIT_FINDINGS

pytestmark = pytest.mark.usefixtures("chained")
LATER = timedelta(hours=1)


def found() -> list[tuple[int, str]]:
    """Return the organisation and the first word of each finding."""
    report = verification.verify(now=timezone.now() + LATER)
    return [(finding.organisation, finding.what.split(":")[0]) for finding in report.findings]


def last_of(organisation):
    return AuditLink.objects.filter(organisation=organisation).order_by("number").last()


def remove(link):
    AuditEntry.objects.filter(pk=link.entry).delete()
    link.delete()


ALTERATIONS = {
    "kind": "exported",
    "door": "another page",
    "outcome": "refused",
    "actor": "person",
    "person_id": 5,
    "key_id": "6f1c0000-0000-4000-8000-000000000000",
    "candidates": ["6f1c0000-0000-4000-8000-000000000000"],
    "row": "1",
    "address": "203.0.113.9",
    "request": "0123456789",
    "filter": {"status": ["finished"]},
    "at": timezone.now() - timedelta(days=1),
}


def test_nothing_is_found_in_what_was_left_alone():
    assert found() == []
    assert verification.verify(now=timezone.now()) == verification.Report(3, 9, [])


@pytest.mark.parametrize("column", ALTERATIONS)
def test_altered_row_is_found(column):
    AuditEntry.objects.filter(door="page 4").update(**{column: ALTERATIONS[column]})
    assert found() == [(8, "altered")]


def test_every_column_can_be_seen_altered():
    columns = {field.name for field in AuditEntry._meta.concrete_fields}
    assert columns - {"id", "organisation_id"} == set(ALTERATIONS)


def test_row_that_is_given_to_another_organisation_is_found():
    AuditEntry.objects.filter(door="page 4").update(organisation_id=7)
    assert found() == [(8, "altered")]


@pytest.mark.parametrize("is_link_removed", [False, True])
def test_removed_row_is_found(is_link_removed):
    link = AuditLink.objects.get(organisation=7, number=2)
    AuditEntry.objects.filter(pk=link.entry).delete()
    if is_link_removed:
        link.delete()
    assert found() == [(7, "removed")]


def test_removed_row_is_found_though_the_others_are_counted_anew():
    remove(AuditLink.objects.get(organisation=7, number=2))
    AuditLink.objects.filter(organisation=7, number=3).update(number=2)
    assert found() == [(7, "altered"), (7, "cut off")]


def test_inserted_row_is_found():
    before = timezone.now() - timedelta(days=1)
    record(Entry(Kind.READ, "never happened", before), organisations=[7])
    jobs.extend()
    assert found() == [(7, "inserted, or the clock does not run")]


def test_inserted_row_with_a_link_of_its_own_is_found():
    record(Entry(Kind.READ, "never happened", timezone.now()), organisations=[7])
    entry = AuditEntry.objects.get(door="never happened")
    AuditLink.objects.create(organisation=7, number=4, entry=entry.pk, mac=b"x" * 32, key=last_of(7).key)
    assert found() == [(7, "altered")]


@pytest.mark.parametrize("length", [1, 3])
def test_cut_tail_is_found(length):
    for _ in range(length):
        remove(last_of(7))
    assert found() == [(7, "cut off")]


def test_cut_tail_is_found_when_the_chain_has_grown_again(caplog):
    remove(last_of(7))
    record(Entry(Kind.READ, "page 10", timezone.now()), organisations=[7])
    jobs.extend()
    assert "audit of organisation 7: cut off" in caplog.text
    assert found() == [(7, "cut off")]


def test_forged_checkpoint_hides_nothing():
    for number in (1, 2):
        remove(AuditLink.objects.get(organisation=7, number=number))
    third = last_of(7)
    AuditCheckpoint.objects.create(
        organisation=7,
        number=2,
        mac=b"y" * 32,
        before="2026-01-01",
        made_at=timezone.now(),
        key=third.key,
        signature=b"z" * 32,
    )
    assert found() == [(7, "the checkpoint at 2 is not as it was signed"), (7, "altered")]


def test_heads_that_others_wrote_are_found(media):
    file = next((media / "audit" / "heads").iterdir())
    file.write_text(file.read_text().replace('"7": [3', '"7": [2'))
    assert found() == [(0, f"the heads in audit/heads/{file.name} are not signed by one of AUDIT_KEYS")]


@pytest.mark.parametrize("content", ["", "[]", '{"heads": [], "key": "KEY", "signature": "00"}'])
def test_file_that_holds_no_heads_is_found_and_hides_nothing(media, content):
    (media / "audit" / "heads" / "2020-01-01.json").write_text(content.replace("KEY", keys.newest()))
    remove(last_of(7))
    unsigned = "the heads in audit/heads/2020-01-01.json are not signed by one of AUDIT_KEYS"
    assert found() == [(0, unsigned), (7, "cut off")]


def test_many_heads_of_a_day_are_compared_in_two_statements(django_assert_num_queries):
    record(Entry(Kind.READ, "page", timezone.now()), organisations=range(100, 120))
    jobs.extend()
    remove(last_of(110))
    with django_assert_num_queries(2):
        findings = list(verification._cut_off())
    assert [finding.organisation for finding in findings] == [110]


def test_key_that_was_taken_away_is_named(settings):
    settings.AUDIT_KEYS = ["another-key-of-the-audit-for-this-test"]
    assert (7, "altered") in found()


def test_keys_are_rotated(settings):
    settings.AUDIT_KEYS = ["the-first-key-of-the-audit-for-this-test"]
    record(Entry(Kind.READ, "of the first key", timezone.now()), organisations=[9])
    chain.extend()
    settings.AUDIT_KEYS = ["the-second-key-of-the-audit-for-this-test", *settings.AUDIT_KEYS]
    record(Entry(Kind.READ, "of the second key", timezone.now()), organisations=[9])
    chain.extend()
    assert [what for of, what in found() if of == 9] == []
    assert len(set(AuditLink.objects.filter(organisation=9).values_list("key", flat=True))) == 2


def test_command_prints_findings_and_fails():
    told = StringIO()
    call_command("verify_audit", stdout=told)
    assert "3 chains, 9 entries" in told.getvalue()
    assert "found: nothing" in told.getvalue()
    remove(last_of(7))

    with pytest.raises(CommandError, match="1 findings"):
        call_command("verify_audit", stdout=told)

    assert "organisation 7: cut off: number 3" in told.getvalue()
    assert AuditEntry.objects.filter(kind=Kind.VERIFIED).count() == 2


def test_daily_job_counts_and_logs_what_it_finds(caplog):
    before = AUDIT_FINDINGS._value.get()
    remove(last_of(7))
    jobs.verify()
    assert AUDIT_FINDINGS._value.get() == before + 1
    assert "audit of organisation 7: cut off" in caplog.text


def test_heads_are_logged_once_for_each_change(caplog):
    caplog.set_level("INFO")
    assert heads.keep(timezone.now()) == 0
    record(Entry(Kind.READ, "page 10", timezone.now()), organisations=[8])
    jobs.extend()
    assert caplog.text.count("audit head: organisation 8, number 4") == 1


def test_entries_are_linked_once_though_two_jobs_run():
    record(Entry(Kind.READ, "page 10", timezone.now()), organisations=[8])
    assert [chain.extend(), chain.extend()] == [1, 0]


def test_verification_of_a_chain_takes_few_statements(django_assert_max_num_queries):
    with django_assert_max_num_queries(40):
        verification.verify(now=timezone.now())
    assert connection.vendor == "postgresql"
