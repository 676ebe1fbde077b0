"""Redis behind TLS, with a password: `rediss://`. The Redis of the tests has no TLS, so a front adds it."""

import asyncio
import os
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from channels.layers import get_channel_layer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.cache.backends.redis import RedisCache
from django_rq.connection_utils import get_redis_connection

from tests.faults.waiting import wait_for
from voice import defaults
from voice.infra import redis_clients
from voice.queues import jobs
from voice.workers.worker import VoiceWorker

STORE = "voice.workers.storing.store"


def certified(directory: Path) -> Path:
    """Make a certificate of 127.0.0.1, which certifies itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    address = x509.SubjectAlternativeName([x509.DNSName("127.0.0.1"), x509.DNSName("localhost")])
    builder = builder.add_extension(address, critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    forms = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = directory / "redis.pem"
    file.write_bytes(certificate.public_bytes(forms[0]) + key.private_bytes(*forms))
    return file


class TlsFront:
    """Forwards what comes over TLS to the Redis of the tests, as stunnel does. It has a thread of its own."""

    def __init__(self, certificate: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._behind = urlsplit(os.environ["REDIS_URL"])
        self._transports: list[asyncio.WriteTransport] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(60)

    def url(self, query: str = "", *, password: str | None = None) -> str:
        password = self._behind.password if password is None else password
        return f"rediss://:{password}@localhost:{self.port}/0{query}"

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        return self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for transport in self._transports:
            transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection(self._behind.hostname, self._behind.port)
        self._transports += writer.transport, behind[1].transport
        await asyncio.gather(self._forward(reader, behind[1]), self._forward(behind[0], writer))

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.fixture
def front(tmp_path, clean_redis):
    front = TlsFront(certified(tmp_path))
    yield front
    front.close()


@pytest.fixture
def url(front, tmp_path, settings):
    """The address of Redis behind TLS, which the whole process uses."""
    get_channel_layer()  # is made once for all tests, with its own address
    url = settings.REDIS_URL = front.url(f"?ssl_ca_certs={tmp_path / 'redis.pem'}")
    redis_clients.sync_client.cache_clear()
    yield url
    redis_clients.sync_client().connection_pool.disconnect()
    redis_clients.sync_client.cache_clear()


async def test_every_client_works_over_tls(url):
    clients = [redis_clients.async_client(), redis_clients.waiting_client(), redis_clients.audio_client()]
    assert [await client.ping() for client in clients] == [True, True, True]
    assert redis_clients.sync_client().ping()
    layer = type(get_channel_layer())()
    name = await layer.new_channel()
    await layer.group_add("people", name)
    await layer.group_send("people", {"type": "hello"})
    assert await layer.receive(name) == {"type": "hello"}
    await layer.flush()
    cache = RedisCache(url, {"OPTIONS": {"serializer": "voice.queues.listed_jobs.Json"}})
    cache.set("words", [1, "two"])
    assert cache.get("words") == [1, "two"]
    cache.close()


@pytest.mark.django_db(transaction=True)
def test_worker_runs_jobs_over_tls(url):
    jobs.enqueue_now("default", STORE, "00000000-0000-0000-0000-000000000000", job_id="a-job")
    with get_redis_connection(defaults.queues(url)["default"]) as client:
        worker = VoiceWorker(["default"], connection=client)
        worker.start()
        wait_for(lambda: not client.exists("rq:job:a-job"), "the job to be done")
        assert worker.stop()
        for thread in threading.enumerate():
            if thread.name in ("telling", "attendant"):  # they end last, and still use the client
                thread.join(60)


def test_certificate_of_somebody_else_is_refused(front):
    with pytest.raises(redis.ConnectionError, match="certificate verify failed"):
        redis.Redis.from_url(front.url(), retry=None).ping()


def test_wrong_password_is_refused(front, tmp_path):
    address = front.url(f"?ssl_ca_certs={tmp_path / 'redis.pem'}", password="wrong")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(address, retry=None).ping()
