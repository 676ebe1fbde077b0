"""Connections of each kind of process: docs/configuration.md adds them up, and workers take as many."""

import re
from pathlib import Path

import pytest
from django.db import connection

from voice.infra import connection_pool
from voice.management.commands.voiceworker import default_slots, with_calls
from voice.workers.registration import served_by_slots

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "configuration.md"
ROW = re.compile(r"^\| (.+?) \| ?(\d*) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
OF_POSTGRESQL, OF_SUPERUSERS, OF_MIGRATION_AND_OTHERS = 100, 3, 4


def rows() -> list[tuple[str, ...]]:
    return ROW.findall(DOCUMENT.read_text().partition("## Connections to PostgreSQL")[2])


def test_document_has_the_slots_and_connections_of_each_worker():
    workers = [row for row in rows() if row[0].startswith("`voiceworker ")]
    for command, slots, connections, _pods, _sum in workers:
        names, _, count = command.strip("`").removeprefix("voiceworker ").partition(" --slots ")
        queues = with_calls(names.split())
        wanted = len(served_by_slots(queues, int(count or default_slots(queues))))
        assert (int(slots), int(connections)) == (wanted, wanted + connection_pool.SPARE_CONNECTIONS), command
    assert len(workers) == 6


def test_dozen_pods_fit_into_a_postgresql_as_it_comes():
    for name, _slots, connections, pods, together in rows():
        assert int(connections) * int(pods) == int(together), name
    total = sum(int(row[4]) for row in rows())

    assert sum(int(row[3]) for row in rows()) == 12
    assert f"| 12 | **{total}** |" in DOCUMENT.read_text()
    assert total <= OF_POSTGRESQL - OF_SUPERUSERS - OF_MIGRATION_AND_OTHERS


@pytest.fixture
def pool(monkeypatch):
    """The settings of a pool of 8."""
    pool = {"min_size": 1, "max_size": 8}
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "pool", pool)
    return pool


@pytest.mark.parametrize("slots", [1, 17])
def test_worker_takes_a_connection_for_each_slot(pool, settings, slots):
    settings.DATABASE_POOL_SIZE = 0

    assert connection_pool.fit(slots) == ""
    assert pool["max_size"] == slots + 2


@pytest.mark.parametrize(("slots", "warns"), [(6, False), (7, True)])
def test_pool_that_is_too_small_is_told(pool, settings, slots, warns):
    settings.DATABASE_POOL_SIZE = 8

    assert connection_pool.fit(slots) == (
        "DATABASE_POOL_SIZE is 8, but 7 slots need 9: jobs will fail." if warns else ""
    )
    assert pool["max_size"] == 8
