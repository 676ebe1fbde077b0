"""Whole months expire under a signed checkpoint, and the chain goes on."""

from datetime import UTC, date, datetime

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.audit import chain, expiry, heads, jobs, verification
from accounts.audit.models import AuditCheckpoint, AuditEntry, AuditLink
from accounts.audit.recording import Entry, Kind, record

DAYS = [(2026, 8, 30), (2026, 9, 1), (2026, 9, 30), (2026, 10, 1), (2026, 11, 15)]
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def months(db, media):
    for day in DAYS:
        at = datetime(*day, 12, tzinfo=UTC)
        record(Entry(Kind.READ, f"{at:%m-%d}", at), organisations=[7, None])
        chain.extend()
        heads.keep(at)


def doors(organisation=7):
    rows = AuditEntry.objects.filter(organisation_id=organisation).order_by("at")
    return list(rows.exclude(kind=Kind.EXPIRED).values_list("door", flat=True))


@pytest.mark.usefixtures("months")
def test_months_expire_and_the_rest_verifies():
    gone = expiry.expire(before=date(2026, 10, 1), now=NOW)

    assert gone == (6, 2)
    assert doors() == doors(None) == ["10-01", "11-15"]
    assert AuditLink.objects.filter(organisation=7).count() == 2
    assert [name[-15:-5] for name in heads.names()] == ["2026-10-01", "2026-11-15"]
    jobs.extend()
    assert verification.verify(now=timezone.now()).findings == []
    assert AuditEntry.objects.filter(kind=Kind.EXPIRED, organisation_id=7).exists()


@pytest.mark.usefixtures("months")
def test_months_that_expire_during_the_verification_do_not_look_removed(monkeypatch):
    compare, gone = verification._of_link, []

    def expire_first(*args):
        if not gone:
            gone.append(expiry.expire(before=date(2026, 10, 1), now=NOW))
        return compare(*args)

    monkeypatch.setattr(verification, "AT_ONCE", 1)
    monkeypatch.setattr(verification, "_of_link", expire_first)

    assert verification.verify(now=NOW).findings == []
    assert gone == [(6, 2)]


@pytest.mark.usefixtures("months")
def test_all_of_a_chain_may_expire_and_it_goes_on():
    expiry.expire(before=date(2026, 12, 1), now=NOW)
    record(Entry(Kind.READ, "new", timezone.now()), organisations=[7])
    jobs.extend()
    assert doors() == ["new"]
    assert AuditLink.objects.filter(organisation=7).order_by("number").first().number == len(DAYS) + 1
    assert verification.verify(now=timezone.now()).findings == []


@pytest.mark.usefixtures("months")
def test_what_is_removed_after_a_checkpoint_is_found():
    expiry.expire(before=date(2026, 10, 1), now=NOW)
    AuditLink.objects.filter(organisation=7, number=4).delete()
    found = verification.verify(now=timezone.now()).findings
    assert (7, "removed: 4 to 4") in found


@pytest.mark.usefixtures("months")
def test_command_takes_a_month_and_refuses_the_current_one(settings):
    settings.AUDIT_MONTHS = 0
    with pytest.raises(CommandError, match="give --before"):
        call_command("expire_audit")
    with pytest.raises(CommandError, match="2026-01"):
        call_command("expire_audit", before="October")
    call_command("expire_audit", before="2026-10")
    assert doors() == ["10-01", "11-15"]
    call_command("expire_audit", before="2999-01")
    assert AuditCheckpoint.objects.filter(before__gt=timezone.now().date()).count() == 0


@pytest.mark.parametrize(
    ("months", "first"), [(0, date(2026, 11, 1)), (1, date(2026, 10, 1)), (24, date(2024, 11, 1))]
)
def test_first_month_that_is_kept(months, first):
    assert expiry.first_kept(months, date(2026, 11, 20)) == first


def test_middle_of_a_month_is_refused(db):
    with pytest.raises(ValueError, match="first day"):
        expiry.expire(before=date(2026, 10, 2), now=NOW)
