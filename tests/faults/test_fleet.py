"""Eight hosts behind NGINX: each is cut off, each process is replaced, and callers ask for too much."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import websockets

from tests.faults import fleet as fleets
from tests.faults import monitoring
from tests.faults.conftest import Harm
from tests.faults.crowd import Crowd
from tests.faults.files import Directory
from tests.faults.fleet import HOSTS, Fleet, Visitor
from tests.faults.scale import FULL

pytestmark = pytest.mark.proof

ALERTS = {
    "edge": "NginxDown",
    "web-1": "WebDown",
    "web-2": "WebDown",
    "worker": "WorkerDown",
    "pgbouncer": "PgBouncerDown",
    "postgresql": "PostgresDown",
    "redis": "RedisDown",
    "prometheus": "MonitoringCutOff",
}
REPLACED_AT = 200
"""Candidates who speak while everything is replaced."""
IDLE_S = 300


@pytest.fixture(scope="module")
def fleet(run_directory: Path, models: dict[str, str]) -> Iterator[Fleet]:
    if problem := fleets.problem() or (
        "" if monitoring.RULES.exists() else f"{monitoring.RULES} is not here"
    ):
        pytest.skip(problem)
    with fleets.fleet(run_directory / "fleet", models) as running:
        yield running
        assert running.leaked() == []


@pytest.fixture
def crowd(fleet: Fleet, request: pytest.FixtureRequest) -> Iterator[Crowd]:
    fleet.wait_ready()
    count = getattr(request, "param", FULL.candidates_of_hosts)
    with Crowd(fleet.stack, count=count, url=fleet.edge.url) as crowd:
        yield crowd


@pytest.fixture
def harm(fleet: Fleet, crowd: Crowd, request: pytest.FixtureRequest) -> Harm:
    return Harm(crowd, Directory(Path(fleet.stack.env["VAR_DIR"]) / "media"), request.node)


@pytest.mark.parametrize("name", HOSTS)
def test_host_cut_off(fleet, crowd, harm, name):
    labels = {"instance": f"{fleet.hosts[name].address}:8000"} if name in fleet.web else {}
    with Visitor(crowd.invite(), fleet.edge.certificate) as visitor:
        cut_at = time.monotonic()
        with fleet.network.cut_off(fleet.hosts[name]):
            crowd.speak_on(FULL.cut_s)
        back_at = time.monotonic()
        recover_s = crowd.wait_recovered(since=back_at)
        fired_s = fleet.webhook.wait(ALERTS[name], "firing", since=cut_at, labels=labels)
        resolved_s = fleet.webhook.wait(ALERTS[name], "resolved", since=cut_at, labels=labels)
    told = (
        f"pages away for {visitor.away_s:.1f} s; {ALERTS[name]} after {fired_s:.0f} s, "
        f"resolved {resolved_s - (back_at - cut_at):.0f} s after the cable was back"
    )
    harm.survived(f"fleet: {name} cut off for {FULL.cut_s:g} s", recover_s=recover_s, also=told)


@pytest.mark.parametrize("crowd", [REPLACED_AT], indirect=True)
def test_everything_is_replaced(fleet, crowd, harm):
    before = len(fleet.requests())
    with Visitor(crowd.invite(), fleet.edge.certificate) as visitor:
        for name in (*fleet.web, *fleet.pools):
            fleet.replace(name)
        recover_s = crowd.wait_recovered(since=time.monotonic())
    requests = fleet.requests()[before:]
    failed = [request for request in requests if request["http.response.status_code"] >= 500]
    codes = {code for candidate in crowd.candidates for code in candidate.connection.closes}
    told = f"{len(requests)} requests and sockets, {len(failed)} of them with a 5xx"
    harm.survived("fleet: each web process and each pool replaced", recover_s=recover_s, also=told)
    assert failed == []
    assert codes == {1012}
    assert visitor.problems == []


def test_limits_spare_candidates(fleet, crowd, harm):
    """Strangers behind the candidates' own address ask for too much."""
    before = len(fleet.requests())
    with Visitor(crowd.invite(), fleet.edge.certificate) as visitor:
        ask_too_often(fleet.edge.url)
    limited = [request for request in fleet.requests()[before:] if "REJECTED" in request["nginx.limit"]]
    refused = Counter(request["http.route"] for request in limited)
    told = "; ".join(f"{route} answered 429: {times}" for route, times in sorted(refused.items()))
    harm.survived("fleet: strangers at the same address ask too often", recover_s=None, also=told)
    assert set(refused) == {"sign-in", "api", "speech"}
    assert {request["http.response.status_code"] for request in limited} == {429}
    assert visitor.problems == []
    assert [candidate.connection.closes for candidate in crowd.candidates] == [[]] * crowd.count


def ask_too_often(url: str) -> None:
    """Send passwords, and calls with a key that is none."""
    headers = {"Authorization": "Bearer ipk_of_a_stranger", "Content-Type": "application/json"}
    calls = [
        *[("POST", "/admin/login/")] * 120,
        *[("GET", "/api/v1/interviews")] * 800,
        *[("POST", "/v1/audio/speech")] * 500,
    ]
    with ThreadPoolExecutor(8) as many, httpx.Client(base_url=url, timeout=60, headers=headers) as client:
        list(many.map(lambda call: client.request(*call), calls))


async def test_idle_socket_lives(fleet):
    """A candidate who says nothing, and whose page sends nothing: only the server's pings are answered."""
    link = await asyncio.to_thread(_invited, fleet)
    address = link.replace("https", "wss").replace("/i/", "/ws/interviews/")
    async with websockets.connect(address, origin=fleet.edge.url, ping_interval=None) as socket:
        await socket.recv()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(until_closed(socket), IDLE_S)
        await socket.send('{"type": "ping"}')
        assert "pong" in await asyncio.wait_for(socket.recv(), 60)


async def until_closed(socket: websockets.ClientConnection) -> None:
    """Take what comes, and say nothing."""
    async for _ in socket:
        pass


def _invited(fleet: Fleet) -> str:
    """Return the link of a candidate who has consented."""
    with Crowd(fleet.stack, count=0, url=fleet.edge.url) as crowd:
        return crowd.invite()
