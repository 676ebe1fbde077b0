"""How much a caller may ask for, and that limits meet that caller only."""

import socket
import ssl
from collections.abc import Iterator

import httpx
import pytest

from tests.deploy.nginx.edge import Edge

KEY = {"Authorization": "Bearer ipk_of_one"}
OTHER_KEY = {"X-API-Key": "ipk_of_another"}
ZONES = {
    "link": ("GET", "/i/link/", {}),
    "sign_in": ("POST", "/admin/login/", {}),
    "api": ("GET", "/api/v1/interviews", KEY),
    "speech": ("POST", "/v1/audio/speech", KEY),
    "uploads": ("POST", "/api/v1/voice/transcribe", KEY),
    "batches": ("POST", "/api/v1/voice/batches", KEY),
    "sockets": ("GET", "/ws/voice", KEY),
    "candidates' sockets": ("GET", "/ws/interviews/link/", {}),
}


@pytest.fixture
def caller(strict: Edge) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=strict.url, verify=strict.trust) as client:
        yield client


@pytest.mark.parametrize(("method", "path", "headers"), ZONES.values(), ids=ZONES)
def test_too_many_requests_are_refused(caller, method, path, headers):
    answers = [caller.request(method, path, headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[-1].headers["retry-after"] == "2"


def test_address_that_asks_for_everything_is_refused(caller):
    statuses = {caller.get("/recordings/one").status_code for _ in range(80)}
    assert statuses == {200, 429}


def test_health_is_for_everybody_and_seldom(caller):
    statuses = [caller.get("/health").status_code for _ in range(60)]
    assert statuses[:20] == [200] * 20
    assert 429 in statuses


def test_candidates_of_one_office_are_spared(caller):
    """All of them have one address; a link that is asked for too often is no other's."""
    for _ in range(4):
        caller.get("/i/first/")
    assert caller.get("/i/first/").status_code == 429
    assert {caller.get(f"/i/{number}/").status_code for number in range(10)} == {200}
    assert {caller.get(f"/ws/interviews/{number}/").status_code for number in range(10, 20)} == {200}


@pytest.mark.parametrize("kind", ["i", "open/confirm", "join", "ws/interviews"])
def test_link_that_is_asked_for_too_often_is_no_other(caller, kind):
    statuses = [caller.get(f"/{kind}/first/").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert caller.get(f"/{kind}/second/").status_code == 200


def test_link_of_a_region_is_the_link_and_not_the_region(caller):
    asked = ("/i/eu~first/", "/i/first/", "/i/us~first/", "/i/eu~second/")
    assert [caller.get(path).status_code for path in asked] == [200, 200, 429, 200]


def test_hundred_applicants_at_one_open_link_are_spared(strict):
    statuses = set()
    for number in range(1, 101):
        transport = httpx.HTTPTransport(local_address=f"127.0.1.{number}", verify=strict.trust)
        with httpx.Client(base_url=strict.url, transport=transport) as applicant:
            statuses.add(applicant.get("/open/advertisement/").status_code)
    assert statuses == {200}


def test_key_that_asks_too_often_is_not_another(caller):
    statuses = [caller.get("/api/v1/interviews", headers=KEY).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert caller.get("/api/v1/interviews", headers=OTHER_KEY).status_code == 200


def test_page_of_the_sign_in_is_not_counted(caller):
    assert {caller.get("/admin/login/").status_code for _ in range(4)} == {200}


@pytest.mark.parametrize(
    ("path", "accept", "kind", "says"),
    [
        ("/i/link/", "text/html,*/*", "text/html", "Please wait a moment"),
        ("/api/v1/interviews", "*/*", "application/json", '"code": "rate_limited"'),
        ("/v1/audio/speech", "*/*", "application/json", '"error": {"message"'),
    ],
)
def test_refusal_is_what_the_caller_can_read(caller, path, accept, kind, says):
    answers = [caller.get(path, headers={**KEY, "Accept": accept}) for _ in range(3)]
    assert answers[-1].headers["content-type"].startswith(kind)
    assert says in answers[-1].text
    assert answers[-1].headers["x-request-id"]


def test_sockets_of_a_link_are_bounded(edge):
    limit = 20  # EDGE_LINK_SOCKETS
    open_sockets = [_socket(edge, "/ws/interviews/many/") for _ in range(limit + 1)]
    statuses = [secured.recv(4096).split()[1] for secured in open_sockets]
    other = _socket(edge, "/ws/interviews/another/")
    assert statuses == [b"101"] * limit + [b"429"]
    assert other.recv(4096).split()[1] == b"101"
    for secured in (*open_sockets, other):
        secured.close()


@pytest.mark.parametrize(
    "request_line_and_headers",
    [
        b"GET / HTTP/1.1\r\nHost: loc",
        b"POST /i/link/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
    ],
    ids=["in the header", "in the body"],
)
def test_slow_client_is_cut_off(strict, web, request_line_and_headers):
    web.paths.clear()
    with _secured(strict) as secured:
        secured.sendall(request_line_and_headers)
        received = _until_closed(secured)
    assert received.startswith((b"", b"HTTP/1.1 408"))
    assert web.paths == []


def _until_closed(secured: ssl.SSLSocket) -> bytes:
    received = b""
    try:
        while piece := secured.recv(4096):
            received += piece
    except (ConnectionResetError, ssl.SSLEOFError):
        pass
    return received


def _socket(edge: Edge, path: str) -> ssl.SSLSocket:
    secured = _secured(edge)
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    secured.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n".encode())
    return secured


def _secured(edge: Edge) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", int(edge.values["EDGE_HTTPS_PORT"])), timeout=60)
    return edge.trust.wrap_socket(plain, server_hostname="localhost")
