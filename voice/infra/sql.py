"""Statements written out, for the few that every candidate's every step needs.

The ORM puts a query together anew each time: half a millisecond to one and a half of processor time, ten
times what it takes to send the finished text and read the answer. With a thousand candidates that is what the
web processes would do most. Everything else is asked through the ORM.

PostgreSQL keeps each of them prepared: to plan how an answer is read takes it ten times as long as to read.
"""

import json
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper
from django.db.models import AutoField, Model


def fetch(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """All rows that the statement returns."""
    with _cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def change(statement: str, *parameters: Any) -> int:
    """How many rows the statement changed."""
    with _cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount


def insert(*rows: Model) -> None:
    """Write new rows of one model in one statement. No signal is sent."""
    if not rows:
        return
    statement, names = _insert(type(rows[0]))
    values = [{column: getattr(row, name) for column, name in names.items()} for row in rows]
    for row, (key,) in zip(rows, fetch(statement, json.dumps(values, default=str)), strict=True):
        row.pk = key
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001  a documented name


@cache
def _insert(model: type[Model]) -> tuple[str, dict[str, str]]:
    """One statement for any number of rows; the attribute of each column but of a key that is made for it."""
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
    """As `connection.cursor()`, but statement and parameters are sent apart, so that it can be prepared."""
    connection.ensure_connection()
    cursor: Any = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]  # psycopg's own
    return (
        connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
    )


class Part:
    """Some columns of one table among those that a statement returns; all of them where none is named."""

    def __init__(self, model: type[Model], alias: str, *columns: str) -> None:
        concrete = [str(field.column) for field in model._meta.concrete_fields]  # noqa: SLF001  a documented name
        self.columns = sorted(columns or concrete, key=concrete.index)  # the order in which Django takes them
        self.names = ", ".join(f"{alias}.{column}" for column in self.columns)
        self._model = model

    def of(self, row: tuple[Any, ...]) -> Any:
        """The model's instance from a row that has nothing else."""
        return self.consume(list(row))

    def consume(self, values: list[Any]) -> Any:
        """The model's instance, or None where a join found none; its first values are taken off the list.

        What is not among the columns is read from the database when it is asked for.
        """
        own, values[:] = values[: len(self.columns)], values[len(self.columns) :]
        return None if own[0] is None else self._model.from_db(DEFAULT_DB_ALIAS, self.columns, own)
