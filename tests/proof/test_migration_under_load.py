"""While the migration runs, the release before reads and writes every column that it knows."""

import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.test_release_before import RELEASE_BEFORE, known_columns

ROOT = Path(__file__).resolve().parents[2]
NAME = "served_while_it_is_migrated"
READERS = 3

pytestmark = [pytest.mark.proof, pytest.mark.django_db]


@pytest.fixture
def url():
    """A database of the release before."""
    server = os.environ["DATABASE_URL"]
    url = f"{server.rpartition('/')[0]}/{NAME}"
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
        for app in ("contenttypes", "auth", "admin", "sessions"):
            migrate(url, app)
        for app, name in RELEASE_BEFORE:
            migrate(url, app, name)
        yield url
        session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(NAME)))


def migrate(url: str, *what: str) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0", *what]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, check=True, timeout=300)


def statements() -> list[sql.Composed]:
    """Read and write each table with the columns of before."""
    tables = defaultdict(list)
    for table, column in sorted(known_columns()):
        tables[table].append(column)
    return [
        sql.SQL(text).format(
            table=sql.Identifier(table),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            first=sql.Identifier(columns[0]),
        )
        for table, columns in tables.items()
        for text in (
            "SELECT {columns} FROM {table} LIMIT 1",
            "UPDATE {table} SET {first} = {first} WHERE false",
        )
    ]


class Served(threading.Thread):
    """One session of the release before; it goes through the statements again and again."""

    def __init__(self, url: str, asked: Sequence[sql.Composed], ended: threading.Event) -> None:
        super().__init__()
        self._url, self._asked, self._ended = url, asked, ended
        self.longest_s, self.rounds = 0.0, 0
        self.error: psycopg.Error | None = None

    def run(self) -> None:
        try:
            with psycopg.connect(self._url, autocommit=True, prepare_threshold=None) as session:
                while not self._ended.is_set():
                    for statement in self._asked:
                        began = time.monotonic()
                        session.execute(statement)
                        self.longest_s = max(self.longest_s, time.monotonic() - began)
                    self.rounds += 1
        except psycopg.Error as error:
            self.error = error


def test_release_before_works_while_the_migration_runs(url):
    ended, asked = threading.Event(), statements()
    sessions = [Served(url, asked, ended) for _ in range(READERS)]
    for session in sessions:
        session.start()
    try:
        migrate(url)
    finally:
        ended.set()
        for session in sessions:
            session.join()
    longest_s = max(session.longest_s for session in sessions)
    rounds = sum(session.rounds for session in sessions)
    print(f"\n{rounds} rounds of {len(asked)} statements; the longest took {longest_s:.2f} s")

    assert [session.error for session in sessions] == [None] * READERS
    assert all(session.rounds > 1 for session in sessions)
