"""Django's backend for PostgreSQL, with a pool that rarely checks whether a connection still works.

Each step takes a connection from the pool and returns it (`voice.infra.threads.in_thread`). psycopg checks it
each time with an empty query, which costs a round trip. But a connection that PostgreSQL has closed, for
example at a restart, is readable, so no query is needed. Only a network that silently drops packets gives no
such sign, so an idle connection is still checked.
"""

import select
import time
from typing import Self
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db.backends.postgresql import base
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from psycopg import Connection
from psycopg_pool import ConnectionPool

TRUSTED_FOR_S = 1.0
"""For this time after its last use, a connection with nothing to read is trusted without a check."""

TABLE_WITHIN_S = 3
"""Longer than this a migration does not wait for a table: whatever reads it meanwhile waits behind."""

_given_back: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()


class SchemaEditor(DatabaseSchemaEditor):
    """Django's editor, which gives up a table that a long query reads, so that interviews go on.

    `manage.py migrate` tries again. CREATE INDEX CONCURRENTLY has no transaction, and lets all others work.
    """

    def __enter__(self) -> Self:
        super().__enter__()
        if self.atomic_migration:
            self.execute(f"SET LOCAL lock_timeout = '{TABLE_WITHIN_S}s'")
        return self


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper with fewer checks; see the module."""

    SchemaEditorClass = SchemaEditor

    @property
    def pool(self) -> ConnectionPool | None:
        """Django's pool, with our `check` instead of psycopg's."""
        pool = super().pool
        if pool is not None:
            pool._check = check  # noqa: SLF001  no public way; a test fails if it disappears
        return pool

    def use_owner(self) -> None:
        """Connect as DATABASE_DIRECT_URL says: to PostgreSQL itself, by the role that owns the tables.

        A pooler ends statements that take long, and transactions that rest.
        """
        if direct := settings.DATABASE_DIRECT:
            self.close()
            self.close_pool()  # else it goes on with those to the pooler
            self.settings_dict["OPTIONS"] |= direct.get("OPTIONS", {})
            self.settings_dict |= {name: value for name, value in direct.items() if name != "OPTIONS"}

    def _close(self) -> None:
        if self.connection is not None:
            _given_back[self.connection] = time.monotonic()
        super()._close()  # type: ignore[misc]  # missing in the stubs


def check(connection: Connection) -> None:
    """Raise OperationalError if the connection no longer works. The pool calls this before it lends one."""
    is_fresh = time.monotonic() < _given_back.get(connection, -TRUSTED_FOR_S) + TRUSTED_FOR_S
    if not is_fresh or _has_something_to_read(connection):
        ConnectionPool.check_connection(connection)


def _has_something_to_read(connection: Connection) -> bool:
    """Whether PostgreSQL has sent anything: only at the end of a connection or after a change of settings."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
