"""What an entry keeps of a list's filter: columns, numbers, days and choices, and no word that was typed."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from django.apps import apps
from django.db.models import UUIDField
from django.http import QueryDict

TYPED: Final = "…"
"""Stands for a value that may be personal: a name, an address, words that were said."""
MOST: Final = 20
_PLAIN: Final = re.compile(r"\d{1,10}|\d{4}-\d\d-\d\d|true|false|soon|too_late|returned", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_OWN: Final = frozenset(
    {
        "q",
        "o",
        "p",
        "e",
        "days",
        "ends",
        "mail",
        "page",
        "limit",
        "offset",
        "since",
        "until",
        "person",
        "candidate",
    }
)
"""Parameters that are no columns."""
_LOOKUPS: Final = frozenset({"exact", "in", "gte", "lte", "gt", "lt", "isnull", "id"})


def without_words(query: QueryDict) -> dict[str, list[str]] | None:
    """Return the filter of a list, without anything that a person may have typed; None for no filter."""
    named = [name for name in query if _is_name(name)][:MOST]
    return {name: _values(name, query.getlist(name)) for name in named} or None


def _is_name(name: str) -> bool:
    return name in _OWN or set(name.split("__")) <= _columns() | _LOOKUPS


def _values(name: str, values: Iterable[str]) -> list[str]:
    return sorted({value if _is_kept(name, value) else TYPED for value in values})[:MOST]


def _is_kept(name: str, value: str) -> bool:
    if name == "q":
        return False
    if _UUID.fullmatch(value):  # ids of candidates are in `candidates`, so that there is one place for them
        return "interview" in name
    return value == "" or bool(_PLAIN.fullmatch(value)) or value in _choices()


@cache
def _columns() -> frozenset[str]:
    """The names of columns. One with a person's name would be odd."""
    return frozenset(field.name for model in apps.get_models() for field in model._meta.get_fields())  # noqa: SLF001


@cache
def _choices() -> frozenset[str]:
    """What columns with a choice may hold."""
    columns = (field for model in apps.get_models() for field in model._meta.concrete_fields)  # noqa: SLF001
    chosen = (field for field in columns if not isinstance(field, UUIDField))
    return frozenset(str(value) for field in chosen for value, _label in field.flatchoices)
