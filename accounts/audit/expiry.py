"""The end of old months: their entries go, and a signed checkpoint says where the chain goes on.

The application's role of the database may not delete them; the owner's does (`manage.py expire_audit`).
"""

from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

from django.db import connection, transaction
from django.db.models import Min

from accounts.audit import chain, heads, keys
from accounts.audit.models import PLATFORM, AuditCheckpoint, AuditEntry, AuditLink
from accounts.audit.recording import Entry, Kind, record

CHECKPOINT: Final = "checkpoint"


class Expired(NamedTuple):
    """How many entries of how many chains are gone."""

    entries: int
    chains: int


def first_kept(months: int, today: date) -> date:
    """Return the first day of the months that are kept: of this one and so many before."""
    index = today.year * 12 + today.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def expire(*, before: date, now: datetime) -> Expired:
    """Delete the entries of whole months before this first day of a month, chain by chain.

    Raises ValueError for another day.
    """
    if before.day != 1:
        raise ValueError("Months expire as a whole: give the first day of the first one that is kept.")
    counts = [_expire(of, before, now) for of in chain.organisations()]
    heads.forget(before)
    return Expired(sum(counts), sum(1 for count in counts if count))


@transaction.atomic
def _expire(of: int, before: date, now: datetime) -> int:
    last = _last_of(of, before)
    if last is None:
        return 0
    checkpoint = AuditCheckpoint(
        organisation=of,
        number=last.number,
        mac=bytes(last.mac),
        before=before,
        made_at=now,
        key=keys.newest(),
    )
    checkpoint.signature = keys.sign(CHECKPOINT, signed_of(checkpoint), key=checkpoint.key)
    gone = AuditLink.objects.filter(organisation=of, number__lte=last.number)
    count, _by_model = AuditEntry.objects.filter(pk__in=gone.values("entry")).delete()
    gone.delete()
    checkpoint.save()
    record(Entry(Kind.EXPIRED, f"expire_audit before {before:%Y-%m}", now), organisations=[of or None])
    return count


def _last_of(of: int, before: date) -> AuditLink | None:
    """Return the last link before the first one whose entry is to be kept."""
    organisation = None if of == PLATFORM else of
    since = datetime(before.year, before.month, 1, tzinfo=UTC)
    kept = AuditEntry.objects.filter(organisation_id=organisation, at__gte=since)
    first = AuditLink.objects.filter(entry__in=kept.values("pk")).aggregate(first=Min("number"))["first"]
    links = AuditLink.objects.filter(organisation=of).order_by("-number")
    return links.filter(number__lt=first).first() if first else links.first()


def signed_of(checkpoint: AuditCheckpoint) -> list[Any]:
    """Return what a checkpoint signs."""
    mac = bytes(checkpoint.mac).hex()
    return [checkpoint.organisation, checkpoint.number, mac, checkpoint.before.isoformat()]


def may_expire() -> bool:
    """Whether this connection's role may delete entries."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'DELETE')", [AuditEntry._meta.db_table])  # noqa: SLF001
        return bool(cursor.fetchone()[0])
