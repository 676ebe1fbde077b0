"""Writing entries: one statement each, on the caller's connection and so in the caller's transaction."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from accounts.audit import subjects
from accounts.audit.models import AuditEntry

Actor, Kind, Outcome = AuditEntry.Actor, AuditEntry.Kind, AuditEntry.Outcome
request_id: Callable[[], str] = str
"""Returns the id of the request that is served. The project sets it (interview_platform.urls)."""
_COLUMNS: Final = (
    *("at", "kind", "door", "outcome", "actor", "person_id", "key_id", "row", "address", "request", "filter"),
    *("organisation_id", "candidates"),
)
_TYPES: Final = {"filter": "::jsonb", "address": "::inet", "key_id": "::uuid", "at": "::timestamptz"}


@dataclass(slots=True)
class Entry:
    """What an entry says, but for the organisation and the candidates."""

    kind: str
    door: str
    at: datetime
    actor: str = Actor.PLATFORM
    outcome: str = Outcome.ALLOWED
    person_id: int | None = None
    key_id: UUID | None = None
    row: str = ""
    address: str = ""
    filter: Any = None
    request: str = field(default_factory=lambda: request_id())

    @property
    def values(self) -> list[Any]:
        """What is said, in the order of the columns."""
        return [
            *(self.at, str(self.kind), self.door[:100], str(self.outcome), str(self.actor)),
            *(self.person_id, self.key_id and str(self.key_id), self.row[:64], _checked(self.address)),
            *(self.request[:64], None if self.filter is None else json.dumps(self.filter)),
        ]


def record(
    entry: Entry, *, organisations: Collection[int | None] = (None,), candidates: Sequence[UUID] = ()
) -> None:
    """Write the entry, once for each organisation. None: for the platform."""
    wanted = list(organisations) or [None]
    _insert(
        entry,
        "unnest(%s::bigint[]) AS about(of) CROSS JOIN (SELECT %s::uuid[] AS them) AS candidates",
        [wanted, [str(each) for each in candidates]],
    )


def record_about(entry: Entry, rows: QuerySet) -> int:
    """Write the entry, once for each organisation of these rows, with their candidates. Return how many.

    It looks the rows up itself, in the same statement. They are of a model that `subjects` knows.
    """
    try:
        statement, parameters = subjects.by_organisation(rows).query.sql_with_params()
    except EmptyResultSet:  # "one of no ids"
        return 0
    return _insert(entry, f"({statement}) AS about", parameters)


def _insert(entry: Entry, source: str, parameters: Sequence[Any]) -> int:
    said = ", ".join(f"%s{_TYPES.get(name, '')}" for name in _COLUMNS[:-2])
    table = AuditEntry._meta.db_table  # noqa: SLF001  a documented name
    statement = f"INSERT INTO {table} ({', '.join(_COLUMNS)}) SELECT {said}, of, them FROM {source}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [*entry.values, *parameters])
        return cursor.rowcount


def _checked(address: str) -> str | None:
    try:
        return str(ip_address(address))
    except ValueError:
        return None
