"""What is shown of entries: the names of those whom they name by ids, as far as there still are any."""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.audit.models import AuditEntry
from accounts.models import ApiKey, Membership
from interviews.models import Invitation

MOST_CANDIDATES: Final = 3
"""Of an entry whose names are shown; of more their number."""


class Candidate(NamedTuple):
    """A candidate of an entry. name: "" for one who was erased."""

    id: UUID
    name: str


class Shown(NamedTuple):
    """An entry with names. others: candidates beside those that are named."""

    entry: AuditEntry
    by: str
    candidates: list[Candidate]
    others: int


def all_of(entries: Collection[AuditEntry]) -> list[Shown]:
    """Return the entries with names, in three statements for all of them."""
    people = _people(entries)
    keys = _keys(entries)
    named = {key for entry in entries for key in entry.candidates[:MOST_CANDIDATES]}
    rows = Invitation._base_manager.filter(pk__in=named)  # noqa: SLF001
    candidates = dict(rows.values_list("pk", "candidate_name"))
    return [
        Shown(
            entry,
            _by(entry, people, keys),
            [Candidate(key, candidates.get(key, "")) for key in entry.candidates[:MOST_CANDIDATES]],
            max(0, len(entry.candidates) - MOST_CANDIDATES),
        )
        for entry in entries
    ]


def _people(entries: Iterable[AuditEntry]) -> dict[tuple[int | None, int], str]:
    """Return the names of members, by organisation and person: of others an organisation learns no name."""
    ids = {entry.person_id for entry in entries if entry.person_id is not None}
    members = Membership.objects.filter(user__in=ids).select_related("user")
    return {(member.organisation_id, member.user_id): member.user.get_username() for member in members}


def _keys(entries: Iterable[AuditEntry]) -> dict[tuple[int | None, UUID], str]:
    """Return the names of keys, by organisation and key: of others' keys an organisation learns no name."""
    rows = ApiKey.objects.filter(pk__in={entry.key_id for entry in entries if entry.key_id is not None})
    return {(of, key): name for of, key, name in rows.values_list("organisation_id", "pk", "name")}


def _by(
    entry: AuditEntry,
    people: dict[tuple[int | None, int], str],
    keys: dict[tuple[int | None, UUID], str],
) -> str:
    if entry.key_id is not None:
        return keys.get((entry.organisation_id, entry.key_id), str(entry.key_id))
    if entry.person_id is None:
        return entry.get_actor_display()
    name = people.get((entry.organisation_id, entry.person_id))
    if entry.actor == AuditEntry.Actor.UNKNOWN:
        return _("somebody, as %s") % name if name else _("unknown")
    return name or _("person %d, who is no member") % entry.person_id
