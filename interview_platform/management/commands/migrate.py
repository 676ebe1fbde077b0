"""Django's `migrate`, one at a time, past the pooler, and beside a release that serves."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import LockNotAvailable

from accounts.audit import roles

LOCK = 7_306_920_114_021_843_312
"""The number of PostgreSQL's advisory lock; each database has its own."""
LOOK_EVERY_S = 1.0
TRIES = 60
PAUSE_S = 5.0
"""After a table was in use for too long (`SchemaEditor` of the database's backend)."""
OF_THE_LOCK = """
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL tcp_keepalives_idle = 5; SET LOCAL tcp_keepalives_interval = 5; SET LOCAL tcp_keepalives_count = 3
"""
"""PostgreSQL keeps the lock however long a migration takes, and sees within 20 s that its machine is gone."""


class Command(migrate.Command):
    """manage.py migrate, by as many pods as like: one works, the others wait and find nothing left to do."""

    _served = ("", "")

    def execute(self, *args: Any, **options: Any) -> Any:
        """Connect as the owner before anything else: at first the application's role does not exist."""
        if not (options["check_unapplied"] or options["plan"]):
            connection: Any = connections[options["database"]]
            self._served = (connection.settings_dict["USER"], connection.settings_dict["PASSWORD"])
            connection.use_owner()
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate under the lock; only look (`--check`, `--plan`) without it, and through the pooler."""
        if options["check_unapplied"] or options["plan"]:
            super().handle(*args, **options)
            return
        connection = connections[options["database"]]
        with self._alone(connection):
            for _ in range(TRIES):
                try:
                    super().handle(*args, **options)
                    self._give_rights(connection)
                    return
                except OperationalError as error:
                    if not isinstance(error.__cause__, LockNotAvailable):
                        raise
                    self._say(f"A table is in use: trying again in {PAUSE_S:g} s.")
                    time.sleep(PAUSE_S)
            raise CommandError(f"A table was in use at each of {TRIES} tries: what holds it? See pg_locks.")

    @contextmanager
    def _alone(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        """Hold the lock, in a transaction of its own: so a pooler in front keeps it, and frees it at the end.

        It asks again and again: a statement that waits has a snapshot, for which CREATE INDEX CONCURRENTLY of
        whoever holds the lock would wait, so that both would wait for ever.
        """
        own = connection.copy("lock of migrations")
        own.settings_dict["OPTIONS"].pop("pool", None)
        with closing(own):
            own.set_autocommit(False)
            while not _has_locked(own):
                self._say("Another migration is under way: waiting for its end.")
                time.sleep(LOOK_EVERY_S)
            yield

    def _give_rights(self, connection: BaseDatabaseWrapper) -> None:
        """Let the application's role work with the tables, if it is another than their owner."""
        role, password = self._served
        if role in ("", connection.settings_dict["USER"]):
            return
        try:
            roles.give_rights(connection, role=role, password=password)
        except roles.RoleMissing as missing:
            raise CommandError(str(missing)) from None

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _has_locked(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(OF_THE_LOCK)
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        [has_locked] = cursor.fetchone()
    if not has_locked:
        connection.rollback()
    return bool(has_locked)
