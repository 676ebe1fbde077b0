"""The chain: each entry of an organisation is linked to the one before by a keyed hash.

A job does it each minute, after the entries are committed. The application may add links, but change and
delete none. Whoever may, as the owner of the tables, does not have the key.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from accounts.audit import keys
from accounts.audit.models import PLATFORM, AuditCheckpoint, AuditEntry, AuditLink

logger = logging.getLogger(__name__)

LINK: Final = "link"
AT_ONCE: Final = 2000
SETTLES: Final = timedelta(minutes=15)
"""Longer than a transaction of the site lasts. An entry that appears later was not written by it."""
_LOCK: Final = 5_210_447_380_921_004_617
_HEADS: Final = """
SELECT of.id, head.number, head.mac, head.key
FROM (SELECT 0::bigint AS id UNION SELECT DISTINCT unnest(%s::bigint[])) AS of
CROSS JOIN LATERAL (
  SELECT number, mac, key FROM accounts_auditlink WHERE organisation = of.id ORDER BY number DESC LIMIT 1
) AS head
"""
_CHAINED: Final = """
WITH RECURSIVE chained AS (
  (SELECT organisation FROM accounts_auditlink ORDER BY organisation LIMIT 1)
  UNION ALL
  SELECT (SELECT organisation FROM accounts_auditlink WHERE organisation > chained.organisation
          ORDER BY organisation LIMIT 1)
  FROM chained WHERE chained.organisation IS NOT NULL
) SELECT organisation FROM chained WHERE organisation IS NOT NULL
"""
"""Looks once for each organisation, and not at every link."""


_KEPT: Final = """
SELECT link.organisation, link.number, link.mac
FROM unnest(%s::bigint[], %s::bigint[]) AS kept(organisation, number)
JOIN accounts_auditlink AS link USING (organisation, number)
"""


class Head(NamedTuple):
    """The last link of a chain."""

    number: int
    mac: bytes


def content_of(entry: AuditEntry, number: int) -> list[Any]:
    """Return what a link signs of its entry."""
    named = [*([] if entry.candidates is None else map(str, entry.candidates))]
    return [
        *(
            number,
            entry.pk,
            entry.at.astimezone(UTC).isoformat(),
            entry.organisation_id,
            entry.kind,
            entry.door,
        ),
        *(entry.outcome, entry.actor, entry.person_id, entry.key_id and str(entry.key_id), named, entry.row),
        *(entry.address, entry.request, entry.filter),
    ]


def extend() -> int:
    """Link all entries that are not linked yet. Return how many. Two at a time do it once."""
    count = 0
    while added := _extend_once():
        count += added
    return count


@transaction.atomic
def _extend_once() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
    entries = list(_unlinked()[:AT_ONCE])
    by_chain: dict[int, list[AuditEntry]] = defaultdict(list)
    for entry in entries:
        by_chain[entry.organisation_id or PLATFORM].append(entry)
    known = heads(by_chain)
    for organisation, added in by_chain.items():
        AuditLink.objects.bulk_create(
            _links(organisation, known.get(organisation, begins_at(organisation)), added)
        )
    return len(entries)


def _unlinked() -> QuerySet[AuditEntry]:
    rows = _without_link().order_by("pk")
    last = AuditLink.objects.order_by("-pk").values_list("entry", flat=True).first()
    newest = AuditEntry.objects.filter(pk=last).values_list("at", flat=True).first() if last else None
    return rows.filter(at__gt=newest - SETTLES) if newest else rows


def overdue(now: datetime) -> QuerySet[AuditEntry]:
    """Return entries that no link holds although there was time.

    They were inserted, or the job does not run.
    """
    return _without_link().filter(at__lt=now - SETTLES)


def _without_link() -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(~Exists(AuditLink.objects.filter(entry=OuterRef("pk"))))


def _links(organisation: int, head: Head, entries: Iterable[AuditEntry]) -> list[AuditLink]:
    links, key = [], keys.newest()
    for entry in entries:
        number = head.number + 1
        head = Head(number, keys.sign(LINK, content_of(entry, number), key=key, before=head.mac))
        links.append(
            AuditLink(organisation=organisation, number=number, entry=entry.pk, mac=head.mac, key=key)
        )
    return links


def begins_at(organisation: int) -> Head:
    """Return after which link the chain begins: the last one that expired, or none."""
    last = AuditCheckpoint.objects.filter(organisation=organisation).order_by("-number").first()
    return Head(last.number, bytes(last.mac)) if last else Head(0, b"")


def heads(organisations: Iterable[int]) -> dict[int, Head]:
    """Return the last link of each of these chains that has one."""
    with connection.cursor() as cursor:
        cursor.execute(_HEADS, [list(organisations)])
        return {of: Head(number, bytes(mac)) for of, number, mac, _key in cursor.fetchall()}


def holds(organisation: int, head: Head) -> bool:
    """Whether the chain holds this link, or began after it."""
    if head.number <= begins_at(organisation).number:
        return True
    link = AuditLink.objects.filter(organisation=organisation, number=head.number).first()
    return link is not None and bytes(link.mac) == head.mac


def lost(kept: Mapping[int, Head]) -> list[int]:
    """Return the organisations whose chain neither holds its link nor began after it, in two statements."""
    numbers = [head.number for head in kept.values()]
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, [list(kept), numbers])
        held = {of: Head(number, bytes(mac)) for of, number, mac in cursor.fetchall()}
    # Read after the links: those that expired in between have a checkpoint by now.
    newest = AuditCheckpoint.objects.order_by().values_list("organisation").annotate(Max("number"))
    began = dict(newest.filter(organisation__in=list(kept)))
    return [of for of, head in kept.items() if held.get(of) != head and head.number > began.get(of, 0)]


def organisations() -> list[int]:
    """Return the organisations that have a chain, also those that are gone."""
    with connection.cursor() as cursor:
        cursor.execute(_CHAINED)
        linked = [of for (of,) in cursor.fetchall()]
    return sorted({*linked, *AuditCheckpoint.objects.values_list("organisation", flat=True)})
