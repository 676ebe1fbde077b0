"""A region is cut off while its candidates speak; its standby set takes over, and nothing said is lost."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator

import psycopg
import pytest

from interview_platform.demo.processes import end_with_parent
from tests.benchmarks.load.own_stack import raise_open_files
from tests.deploy.backups import hosts
from tests.deploy.backups.hosts import ObjectStorage
from tests.deploy.regions.region import MANAGE, Edge, Place, nginx_is_missing, run
from tests.faults import crowd as crowds
from tests.faults import network
from tests.faults.crowd import Crowd
from tests.faults.network import Network

pytestmark = [pytest.mark.proof, pytest.mark.timeout(1200)]

CANDIDATES = 6
SPEAK_ON_S = 20
COPY_EVERY_S = "10"
"""Seldom, so that the standby set lacks objects that the region has."""


@pytest.fixture
def pair(run_directory) -> Iterator[tuple[Network, Place, Place, Edge]]:
    """A region, the standby set that follows it, and the edge."""
    if lacking := hosts.missing() or network.problem() or nginx_is_missing():
        pytest.skip(lacking)
    raise_open_files()
    directory = run_directory / "regions"
    directory.mkdir()
    directory.chmod(0o711)
    (directory / "edge").mkdir()
    with contextlib.ExitStack() as running:
        net = running.enter_context(Network())
        region = Place(directory / "region", net.host("region"), running)
        standby = Place(directory / "standby", net.host("standby"), running)
        region.postgresql.create()
        region.postgresql.accept(net.range)
        region.postgresql.start()
        with psycopg.connect(region.postgresql.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET archive_command = '/bin/true'")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE interviews")
        standby.postgresql.follow(region.postgresql)
        edge = Edge(directory / "edge")
        running.callback(edge.stop)
        yield net, region, standby, edge


@contextlib.contextmanager
def following(region: Place, standby: Place) -> Iterator[None]:
    """Run follow.sh in the standby set."""
    buckets = {
        "OBJECTS": f"region:{ObjectStorage.BUCKET}",
        "OBJECTS_STANDBY": f"standby:{ObjectStorage.BUCKET}",
    }
    remotes = {**region.objects.rclone("region"), **standby.objects.rclone("standby")}
    command = standby.script("follow.sh", **buckets, **remotes, EVERY_S=COPY_EVERY_S)
    with subprocess.Popen(
        command, start_new_session=True, preexec_fn=end_with_parent(signal.SIGKILL)
    ) as process:
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def rows_behind_s(region: Place) -> float:
    """Return how far the standby set was behind, of the last thing that it confirmed."""
    with psycopg.connect(region.postgresql.url) as connection:
        query = "SELECT coalesce(extract(epoch FROM replay_lag), 0) FROM pg_stat_replication"
        return float(connection.execute(query).fetchone()[0])


def test_a_standby_set_takes_over_and_nothing_said_is_lost(
    pair, whisper_model, piper_voices, capsys, monkeypatch
):
    monkeypatch.setattr(crowds, "WITHIN_S", 600.0)  # two whole systems share the machine
    net, region, standby, edge = pair
    models = {"WHISPER_MODEL": str(whisper_model), "PIPER_VOICES_DIR": str(piper_voices)}
    migrate = [*MANAGE.split(), "migrate", "--verbosity", "0"]
    run(migrate, **region.settings(edge.url), DATABASE_URL=region.database)
    with region.platform(edge.url, models) as first, contextlib.ExitStack() as after:
        first.wait_ready()
        edge.lead_to(first.url.removeprefix("http://"))
        first.url = edge.url
        with following(region, standby):
            crowd = after.enter_context(Crowd(first, count=CANDIDATES))
            assert "/i/eu~" in crowd.candidates[0].invitation_url
            crowd.speak_on(SPEAK_ON_S)
            behind_s = rows_behind_s(region)
            after.enter_context(net.cut_off(region.host))
        cut_at = time.monotonic()
        acked_s = sum(take.acked for take in crowd.takes) / 32_000
        lacking = promote(standby, edge)
        promoted_s = time.monotonic() - cut_at
        second = after.enter_context(standby.platform(edge.url, models))
        second.wait_ready()
        ready_s = time.monotonic() - cut_at
        edge.lead_to(second.url.removeprefix("http://"))
        second.url = edge.url
        second.__dict__["demo"] = first.demo
        crowd.stack = second
        recovered_s = ready_s + crowd.wait_recovered(since=time.monotonic())
        crowd.finish()
        with capsys.disabled():
            print(
                f"\nrows behind {behind_s:.3f} s; {acked_s:.0f} s of audio acknowledged, {lacking} recordings"
            )
            print(f"not whole at the standby set; promoted after {promoted_s:.1f} s, ready {ready_s:.1f} s,")
            print(f"all held {recovered_s:.1f} s after the cut; {crowd.seen}")
        assert crowd.losses(standby.objects) == []
        assert crowd.duplicates(standby.objects) == []
        assert crowd.stuck() == []


def promote(standby: Place, edge: Edge) -> int:
    """Run promote.sh in the standby set; return how many recordings it lacked something of."""
    settings = {
        **standby.postgresql.env,
        **standby.settings(edge.url),
        "DATABASE_URL": standby.database,
        "MANAGE": MANAGE,
        "ON_DATABASE": "",
        "FENCED": "yes",
    }
    del settings["PATH"]  # of PostgreSQL's account
    said = run(standby.script("promote.sh", **settings))
    return said.count("not whole, unless")
