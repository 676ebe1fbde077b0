"""Plain SQL, for the few statements that every step of every candidate needs.

The ORM builds a query anew each time. That takes 0.5 to 1.5 ms of processor time, ten times as much as
sending the finished text and reading the answer. With a thousand candidates, the web processes would spend
most of their time on it. All other queries use the ORM.

PostgreSQL keeps each statement prepared: planning the read of an answer takes ten times as long as the read.
"""

import json
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper
from django.db.models import AutoField, Model


def fetch(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Return all rows of the statement's result."""
    with _cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def change(statement: str, *parameters: Any) -> int:
    """Return how many rows the statement changed."""
    with _cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount


def hold(name: str) -> None:
    """Let others who hold this name wait until the end of this transaction. Takes the lock of no row."""
    fetch("SELECT 1 FROM (SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))) held", name)


def try_to_hold(name: str) -> bool:
    """Return whether nobody held this name; then it is held as by `hold`."""
    [[is_free]] = fetch("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", name)
    return is_free


def insert(*rows: Model) -> None:
    """Write new rows of one model in one statement. No signal is sent."""
    if not rows:
        return
    statement, names = _insert(type(rows[0]))
    values = [{column: getattr(row, name) for column, name in names.items()} for row in rows]
    for row, (key,) in zip(rows, fetch(statement, json.dumps(values, default=_as_text)), strict=True):
        row.pk = key
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001  a documented name


def _as_text(value: object) -> str:
    """Return a value that JSON does not have, as PostgreSQL reads it."""
    return f"\\x{bytes(value).hex()}" if isinstance(value, (bytes, memoryview)) else str(value)


@cache
def _insert(model: type[Model]) -> tuple[str, dict[str, str]]:
    """Return a statement for any number of rows, and the attribute of each column except a generated key."""
    table = model._meta  # noqa: SLF001
    names = {str(f.column): f.attname for f in table.concrete_fields if not isinstance(f, AutoField)}
    columns = ", ".join(names)
    statement = f"""
        INSERT INTO {table.db_table} ({columns})
        SELECT {columns} FROM json_populate_recordset(NULL::{table.db_table}, %s)
        RETURNING {table.pk.column}
    """  # noqa: S608  names of the model
    return statement, names


def _cursor() -> CursorWrapper:
    """Like `connection.cursor()`, but statement and parameters are sent apart, so that it can be prepared."""
    connection.ensure_connection()
    cursor: Any = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]  # psycopg's own
    return (
        connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
    )


class Part:
    """The columns of one table in the result of a statement; all columns if none is named."""

    def __init__(self, model: type[Model], alias: str, *columns: str) -> None:
        concrete = [str(field.column) for field in model._meta.concrete_fields]  # noqa: SLF001  a documented name
        self.columns = sorted(columns or concrete, key=concrete.index)  # Django expects this order
        self.names = ", ".join(f"{alias}.{column}" for column in self.columns)
        self._model = model

    def of(self, row: tuple[Any, ...]) -> Any:
        """Return the model's instance from a row that contains nothing else."""
        return self.consume(list(row))

    def consume(self, values: list[Any]) -> Any:
        """Return the model's instance, or None if a join found none; remove its values from the list's start.

        Other columns are read from the database on access.
        """
        own, values[:] = values[: len(self.columns)], values[len(self.columns) :]
        return None if own[0] is None else self._model.from_db(DEFAULT_DB_ALIAS, self.columns, own)
