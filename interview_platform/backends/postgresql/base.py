"""Django's backend for PostgreSQL, with a pool that rarely asks whether a connection still works.

Each step takes a connection from the pool and gives it back (`voice.infra.threads.in_thread`); psycopg sends
an empty query each time, a round trip. But that PostgreSQL has closed a connection, at its restart for one,
can be told without: there is something to read. Only a network that drops packets without a word shows no
such sign, so a connection that nobody used for a while is asked all the same.
"""

import select
import time
from weakref import WeakKeyDictionary

from django.db.backends.postgresql import base
from psycopg import Connection
from psycopg_pool import ConnectionPool

TRUSTED_FOR_S = 1.0
"""So long after its last use a connection with nothing to read is taken as it is."""

_given_back: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()


class DatabaseWrapper(base.DatabaseWrapper):
    """See the module."""

    @property
    def pool(self) -> ConnectionPool | None:
        """As Django makes it, with `check` in the place of psycopg's."""
        pool = super().pool
        if pool is not None:
            pool._check = check  # noqa: SLF001  Django leaves no other way; a test notices if it has gone
        return pool

    def _close(self) -> None:
        if self.connection is not None:
            _given_back[self.connection] = time.monotonic()
        super()._close()  # type: ignore[misc]  # the stubs do not know it


def check(connection: Connection) -> None:
    """Raise OperationalError if the connection no longer works; called by the pool before it gives it out."""
    is_fresh = time.monotonic() < _given_back.get(connection, -TRUSTED_FOR_S) + TRUSTED_FOR_S
    if not is_fresh or _has_something_to_read(connection):
        ConnectionPool.check_connection(connection)


def _has_something_to_read(connection: Connection) -> bool:
    """PostgreSQL speaks unasked only when it ends the connection, or to tell of a change of its settings."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
