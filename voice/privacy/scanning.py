"""Search every store for words that name a person. It reads everything once and writes nothing.

database(words)      every text, UUID, JSON, binary and search column of every table
redis_keys(words)    every key: its name and what it holds
files(words)         every name in object storage, also of versions and of incomplete uploads
without_row()        files and keys of recordings, texts, voices and batches whose row is gone
keys_without_row()   the keys of these
"""

import re
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.utils.encoding import force_bytes

from voice.encryption import keys
from voice.infra import object_storage, redis_clients
from voice.models import PendingErasure
from voice.privacy.stores import STORES

Words = Mapping[str, Collection[str]]
"""Words by kind, such as {"name": ["Ada Lovelace"]}. A name is found as a whole, others also inside."""
NAME: Final = "name"
ID: Final = "id"

_COLUMNS = """
SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.data_type IN (
  'text', 'character varying', 'character', 'uuid', 'json', 'jsonb', 'bytea', 'ARRAY', 'inet', 'tsvector',
  'USER-DEFINED'
)
ORDER BY c.table_name, c.ordinal_position
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What was searched, and the places at which something was found. No word is repeated."""

    searched: str
    found: list[str]


def database(words: Words, *, without_ids: Collection[str] = ()) -> Report:
    """Search the tables of the database, one after the other.

    without_ids: columns, as "table.column", in which ids may stay.
    """
    tables: dict[str, dict[str, str]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        for table, column, kind in cursor.fetchall():
            tables[table][column] = kind
    found, row_count = [], 0
    for table, columns in tables.items():
        rows, hits = _search_table(table, columns, words, without_ids)
        row_count += rows
        found += hits
    columns_n = sum(map(len, tables.values()))
    return Report(f"PostgreSQL: {len(tables)} tables, {columns_n} columns, {row_count} rows", found)


def _search_table(
    table: str, columns: Mapping[str, str], words: Words, without_ids: Collection[str]
) -> tuple[int, list[str]]:
    """Return the number of rows, and where something was found."""
    quote = connection.ops.quote_name
    searches = [
        (column, kind)
        for column in columns
        for kind in words
        if kind != ID or f"{table}.{column}" not in without_ids
    ]
    counts = [
        f"count(*) FILTER (WHERE {_as_text(quote(column), columns[column])} ~* %s)" for column, _ in searches
    ]
    statement = f"SELECT {', '.join(['count(*)', *counts])} FROM {quote(table)}"  # noqa: S608  quoted names
    with connection.cursor() as cursor:
        cursor.execute(statement, [_pattern(kind, words[kind]) for _, kind in searches])
        row_count, *hits = cursor.fetchone()
    found = [
        f"{table}.{column}: {kind} in {n} rows" for (column, kind), n in zip(searches, hits, strict=True) if n
    ]
    return row_count, found


def _as_text(column: str, kind: str) -> str:
    return f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"


def _pattern(kind: str, words: Collection[str]) -> str:
    """Return a regular expression of PostgreSQL."""
    either = "|".join(map(re.escape, words))
    return rf"\m({either})\M" if kind == NAME else f"({either})"


def redis_keys(words: Words) -> Report:
    """Search all keys of Redis."""
    client, found, count = redis_clients.sync_client(), [], 0
    for key in client.scan_iter(count=1000):
        count += 1
        held = b"\n".join([key, *_pieces(_contents(client, key))]).lower()
        found += [
            f"{key.decode(errors='replace')}: {kind}" for kind in words if _is_among(held, kind, words[kind])
        ]
    return Report(f"Redis: {count} keys", found)


def _contents(client: Any, key: bytes) -> Any:
    match client.type(key):
        case b"string":
            return client.get(key)
        case b"hash":
            return client.hgetall(key)
        case b"list":
            return client.lrange(key, 0, -1)
        case b"set":
            return client.smembers(key)
        case b"zset":
            return client.zrange(key, 0, -1)
        case b"stream":
            return client.xrange(key)
        case _:
            return None  # it has just expired


def _pieces(value: Any) -> Iterator[bytes]:
    """Yield all strings in a value; a job's arguments are compressed."""
    if isinstance(value, bytes | str):
        yield from _plain(force_bytes(value))
    elif isinstance(value, Mapping):
        for pair in value.items():
            yield from _pieces(pair)
    elif isinstance(value, Iterable):
        for each in value:
            yield from _pieces(each)


def _plain(value: bytes) -> Iterator[bytes]:
    yield value
    if value[:1] == b"x":  # the first byte of zlib's format
        try:
            yield zlib.decompress(value)
        except zlib.error:
            return


def _is_among(text: bytes, kind: str, words: Collection[str]) -> bool:
    either = b"|".join(re.escape(word.lower().encode()) for word in words)
    pattern = rb"(?<!\w)(" + either + rb")(?!\w)" if kind == NAME else either
    return re.search(pattern, text) is not None


def files(words: Words) -> Report:
    """Search the names in object storage. What the files hold is sound, and is not searched."""
    names = list(object_storage.all_names())
    uploads = [upload.name for upload in object_storage.incomplete_uploads()]
    found = [
        f"{name}: {kind}"
        for name in [*names, *uploads]
        for kind in words
        if _is_among(name.lower().encode(), kind, words[kind])
    ]
    return Report(f"object storage: {len(names)} names, {len(uploads)} incomplete uploads", found)


def without_row() -> Report:
    """Find what belongs to no row any more: it was not erased, or was restored from a backup."""
    places = _places()
    found = [where for name in places for where in _without_row(name, places[name])]
    count = sum(map(len, places.values()))
    return Report(f"what belongs to no row: {count} files, uploads and recordings in Redis", found)


def keys_without_row() -> dict[str, set[str]]:
    """Return the keys of each store that have files, uploads or audio in Redis, and no row."""
    return {name: {key for key, _ in _strangers(name, places)} for name, places in _places().items()}


def _places() -> dict[str, list[tuple[str, str]]]:
    """Return the files and uploads of each store, and what Redis holds of recordings, each with its name."""
    uploads = (upload.name for upload in object_storage.incomplete_uploads())
    names = [*object_storage.all_names(), *uploads]
    buffered = [key.decode() for key in redis_clients.sync_client().scan_iter("voice:recording:*:meta")]
    by_store = {
        name: [(place, place) for place in names if store.files and place.startswith(store.files)]
        for name, store in STORES.items()
    }
    by_store[PendingErasure.Store.RECORDING] += [
        (f"recordings/{key.split(':')[2]}/", key) for key in buffered
    ]
    by_store[PendingErasure.Store.DATA_KEY] = [(key, f"data key {key}") for key in keys.all_ids()]
    return by_store


def _without_row(store_name: str, places: Collection[tuple[str, str]]) -> list[str]:
    pending = PendingErasure.objects.filter(store=store_name).values_list("key", flat=True)
    reason = dict.fromkeys(pending, "is being erased")
    return [
        f"{where}: {reason.get(key, 'belongs to no row')}" for key, where in _strangers(store_name, places)
    ]


def _strangers(store_name: str, places: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the places whose key has no row, each after its key."""
    store = STORES[store_name]
    keyed = [(re.split(r"[/.]", place.removeprefix(store.files))[0], where) for place, where in places]
    known = store.alive({key for key, _ in keyed})
    return [(key, where) for key, where in keyed if key not in known]
