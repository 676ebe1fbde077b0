"""Migrations: one at a time, past the pooler, and nothing waits behind them."""

import os
import subprocess
import sys
import threading
from copy import deepcopy
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

from interview_platform.backends.postgresql import base
from interview_platform.demo.embedded import as_application, free_port
from interview_platform.management.commands import migrate
from tests.faults.waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def url():
    """Of the tests' database."""
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"


@pytest.fixture
def other(url):
    """Another session of the tests' database."""
    with psycopg.connect(url) as session:
        yield session


def started(said: StringIO) -> threading.Thread:
    """Start a migration in a thread, which says what it does."""

    def run():
        call_command("migrate", stdout=said)
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_migration_waits_for_another_without_a_statement_under_way(other, monkeypatch):
    monkeypatch.setattr(migrate, "LOOK_EVERY_S", 0.05)
    other.execute("SELECT pg_advisory_lock(%s)", [migrate.LOCK])
    said = StringIO()

    waiting = started(said)
    wait_for(lambda: said.getvalue().count("waiting for its end") > 1, "the migration to wait")
    assert "No migrations to apply" not in said.getvalue()
    other.execute("SELECT pg_advisory_unlock(%s)", [migrate.LOCK])
    waiting.join()

    assert "No migrations to apply" in said.getvalue()


@pytest.mark.parametrize("option", ["check_unapplied", "plan"])
def test_look_at_what_is_left_does_not_wait_for_a_migration(other, option):
    """A pod of the old release starts by it, while an index is made for an hour."""
    other.execute("SELECT pg_advisory_lock(%s)", [migrate.LOCK])
    call_command("migrate", stdout=StringIO(), **{option: True})

    [is_held] = other.execute("SELECT pg_advisory_unlock(%s)", [migrate.LOCK]).fetchone()
    assert is_held


def test_lock_ends_with_the_migration(other):
    call_command("migrate", verbosity=0)

    [is_free] = other.execute("SELECT pg_try_advisory_lock(%s)", [migrate.LOCK]).fetchone()
    assert is_free


def test_table_that_is_read_for_long_keeps_no_reader_waiting(other, monkeypatch):
    """Readers stand in line behind a change of the table: so the change gives up, and they go on."""
    monkeypatch.setattr(base, "TABLE_WITHIN_S", 1)
    other.execute("SELECT FROM voice_recording")  # its transaction is open
    tried = []

    def change(self, *args, **options):
        tried.append(1)
        if len(tried) == 2:
            other.rollback()
        with connection.schema_editor() as editor:
            editor.execute("ALTER TABLE voice_recording ADD COLUMN extra text")

    monkeypatch.setattr(migrate, "PAUSE_S", 0)
    monkeypatch.setattr(migrate.migrate.Command, "handle", change)
    said = StringIO()
    call_command("migrate", stdout=said, skip_checks=True)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE voice_recording DROP COLUMN extra")

    assert len(tried) == 2
    assert "A table is in use" in said.getvalue()


@pytest.fixture
def pooler():
    """The tests' connection names a port where nothing listens; its old settings."""
    kept = deepcopy(connection.settings_dict)
    connections.close_all()
    connection.close_pool()
    connection.settings_dict["PORT"] = str(free_port())
    yield kept
    connections.close_all()
    connection.close_pool()
    connection.settings_dict.update(kept)


def test_migration_goes_past_the_pooler(pooler, settings):
    settings.DATABASE_DIRECT = {"PORT": pooler["PORT"]}
    said = StringIO()
    call_command("migrate", stdout=said)

    assert "No migrations to apply" in said.getvalue()


def test_migration_does_not_go_on_with_the_connections_to_the_pooler(settings):
    kept = deepcopy(connection.settings_dict)
    connection.ensure_connection()
    to_the_pooler = connection.pool
    settings.DATABASE_DIRECT = {"PORT": kept["PORT"]}
    call_command("migrate", verbosity=0)

    assert connection.pool is not to_the_pooler
    assert to_the_pooler.closed


def test_migration_begins_before_the_role_of_the_application_exists(settings):
    kept = deepcopy(connection.settings_dict)
    connections.close_all()
    connection.close_pool()
    connection.settings_dict |= {"USER": "not_there_yet", "PASSWORD": "not known to PostgreSQL either"}
    settings.DATABASE_DIRECT = {name: kept[name] for name in ("USER", "PASSWORD")}
    call_command("migrate", verbosity=0, skip_checks=False)

    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('not_there_yet', 'interviews_session', 'UPDATE')")
        assert cursor.fetchone() == (True,)
        cursor.execute("SELECT has_table_privilege('not_there_yet', 'accounts_auditentry', 'UPDATE, DELETE')")
        assert cursor.fetchone() == (False,)
        cursor.execute("DROP OWNED BY not_there_yet; DROP ROLE not_there_yet")


@pytest.mark.proof
def test_three_migrations_of_an_empty_database_at_once_all_end_well():
    server, name = os.environ["DATABASE_URL"], "empty_for_migrations"
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    owner = f"{server.rpartition('/')[0]}/{name}"
    roles = {"DATABASE_DIRECT_URL": owner, "DATABASE_URL": as_application(owner)}
    env = {**os.environ, **roles}
    command = [sys.executable, "manage.py", "migrate"]
    running = [
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = [process.communicate()[0] for process in running]
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    assert [process.returncode for process in running] == [0, 0, 0]
    assert sum("No migrations to apply" in each for each in said) == 2
    assert sum("waiting for its end" in each for each in said) == 2
