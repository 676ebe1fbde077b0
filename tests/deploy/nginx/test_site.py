"""What the edge makes of requests: names, headers, files, what is hidden, which process is asked."""

import os
import re
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.deploy.nginx import edge as edges
from tests.deploy.nginx.conftest import HASHED
from tests.deploy.nginx.echo import echo

HIDDEN = ("/metrics", "//metrics", "/%6detrics", "/static/../metrics", "/ready", "/ready?all")


def test_configuration_passes_without_a_warning(edge):
    wanted = {**os.environ, **edge.values}
    checked = subprocess.run([edges.START, "-t"], env=wanted, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr


def test_configuration_has_no_known_weakness(edge):
    gixy = Path(sys.executable).with_name("gixy")
    found = subprocess.run([gixy, edge.configuration], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_every_value_is_used(edge):
    templates = "".join(file.read_text() for file in (edges.FOLDER / "templates").iterdir())
    lines = (edges.FOLDER / "edge.env").read_text().splitlines()
    names = [line.partition("=")[0] for line in lines if line.startswith("EDGE_")]
    outside = {"EDGE_STATIC_ROOT"}  # start.sh makes a link of it
    assert [name for name in names if name not in outside and f"${{{name}}}" not in templates] == []


def test_request_is_passed_on_with_the_headers_of_the_edge(edge, browser):
    claimed = {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "other.example.com",
    }
    arrived = browser.get("/i/link/", headers=claimed).json()["headers"]
    assert arrived["host"] == httpx.URL(edge.url).netloc.decode()
    assert arrived["x-forwarded-for"] == "127.0.0.1"
    assert arrived["x-forwarded-proto"] == "https"


def test_request_number_is_made_and_told(browser):
    answer = browser.get("/")
    assert len(answer.headers["x-request-id"]) == 32
    assert answer.json()["headers"]["x-request-id"] == answer.headers["x-request-id"]
    assert len(answer.headers.get_list("x-request-id")) == 1


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [("0b7c8a52-number.of_a_caller", True), ("short", False), ("two words here", False), ("x" * 65, False)],
)
def test_request_number_of_a_caller_is_checked(browser, given, is_kept):
    answer = browser.get("/", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is is_kept


def test_trace_begins_at_the_edge(browser):
    given = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "tracestate": "theirs=1"}
    answer = browser.get("/", headers=given)
    told = answer.json()["headers"]
    trace = answer.headers["x-request-id"]
    assert re.fullmatch(f"00-{trace}-{trace[:16]}-0[01]", told["traceparent"])
    assert "tracestate" not in told


@pytest.mark.parametrize("path", HIDDEN)
def test_address_for_inside_is_hidden(edge, web, path):
    asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    web.paths.clear()
    assert _raw(edge, asked).startswith(b"HTTP/1.1 404")
    assert web.paths == []


def test_trusted_load_balancer_tells_whose_request_it_is(directory, web):
    """And /health is for everybody: behind NAT the own probe comes from a public address."""
    trusted = {"TRUSTED_PROXIES": "set_real_ip_from 127.0.0.1;"}
    with edges.edge(directory / "behind", web.line, **trusted) as edge:
        with httpx.Client(base_url=edge.url, verify=edge.trust) as client:
            addresses = ("203.0.113.7", "10.1.2.3")
            answers = [client.get("/health", headers={"X-Forwarded-For": address}) for address in addresses]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json()["headers"]["x-forwarded-for"] for answer in answers] == list(addresses)


def test_inside_port_answers_probes(edge, web):
    assert httpx.get(f"{edge.inside_url}/health").json() == {"status": "ok"}
    assert httpx.get(f"{edge.inside_url}/ready").json()["path"] == "/ready"
    assert "Active connections" in httpx.get(f"{edge.inside_url}/stub_status").text
    assert httpx.get(f"{edge.inside_url}/metrics").status_code == 404


def test_file_with_a_hash_in_its_name_is_kept_for_ever(browser):
    answer = browser.get(f"/static/{HASHED}", headers={"Accept-Encoding": "identity"})
    assert answer.text == "body {}"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "text/css"


def test_file_is_sent_as_it_was_compressed(edge):
    head = f"GET /static/{HASHED} HTTP/1.0\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n"
    answer = _raw(edge, head.replace("1.0", "1.1") + "Connection: close\r\n\r\n")
    assert b"Content-Encoding: gzip" in answer
    assert answer.endswith(b"compressed before")


def test_file_without_a_hash_is_asked_for_again(browser):
    assert browser.get("/static/plain.css").headers["cache-control"] == "public, max-age=60"


def test_file_of_another_release_is_asked_of_web(browser):
    assert browser.get("/static/app.ffffffffffff.css").json()["path"] == "/static/app.ffffffffffff.css"


def test_plain_http_is_sent_to_https(edge):
    answer = httpx.post(f"{edge.plain_url}/i/link/?page=2")
    assert answer.status_code == 308
    assert answer.headers["location"] == "https://127.0.0.1/i/link/?page=2"


def test_unknown_name_gets_no_page(edge, browser, web):
    web.paths.clear()
    other = {"Host": "other.example.com"}
    assert httpx.get(edge.plain_url, headers=other).status_code == 421
    assert browser.get("/", headers=other).status_code == 421
    assert web.paths == []


def test_http2_is_offered(edge):
    offering = ssl.create_default_context(cafile=str(edge.certificate))
    offering.set_alpn_protocols(["h2", "http/1.1"])
    with _dialled(edge) as plain, offering.wrap_socket(plain, server_hostname="localhost") as secured:
        assert secured.selected_alpn_protocol() == "h2"


def test_old_tls_is_refused(edge):
    address = f"127.0.0.1:{edge.values['EDGE_HTTPS_PORT']}"
    old = ["openssl", "s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-connect", address]
    said = subprocess.run(old, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert "alert protocol version" in said.stderr


def test_security_header_of_web_is_not_doubled(browser):
    assert browser.get("/").headers.get_list("strict-transport-security") == ["max-age=1"]
    of_a_file = browser.get("/static/plain.css").headers.get_list("strict-transport-security")
    assert of_a_file == ["max-age=31536000; includeSubDomains"]


def test_websocket_is_opened(edge):
    status, secured = _opened(edge, "/ws/interviews/link/")
    assert status == b"101"
    secured.close()


@pytest.mark.parametrize(
    ("path", "megabytes", "is_taken"),
    [
        ("/api/v1/voice/batches", 100, True),
        ("/api/v1/voice/transcribe", 25, True),
        ("/v1/audio/transcriptions", 25, True),
        ("/admin/interviews/invitation/", 25, True),
        ("/api/v1/voice/transcribe", 27, False),
        ("/i/link/", 2, False),
    ],
)
def test_body_has_a_limit_by_address(edge, path, megabytes, is_taken):
    length = f"Content-Length: {megabytes * 1024**2}\r\nExpect: 100-continue\r\n"
    with _secured(edge) as secured:
        secured.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n".encode())
        status = secured.recv(4096).split()[1]
    assert status == (b"100" if is_taken else b"413")


def test_get_is_asked_of_another_process_and_a_post_is_not(directory):
    with echo() as rude, echo() as polite:
        rude.is_rude = True
        with edges.edge(directory / "two", rude.line + polite.line) as edge:
            with httpx.Client(base_url=edge.url, verify=edge.trust) as client:
                assert [client.get("/i/link/").status_code for _ in range(4)] == [200] * 4
                posted = [client.post("/i/link/", json={}) for _ in range(4)]
            assert sorted(answer.status_code for answer in posted) == [200, 200, 502, 502]
    refused = next(answer for answer in posted if answer.status_code == 502)
    assert refused.json()["code"] == "unavailable"
    assert refused.headers["retry-after"] == "5"


def test_processes_that_all_failed_are_asked_again_at_once(directory):
    with echo() as first, echo() as second:
        servers = (first.line + second.line).replace("max_fails=0", "max_fails=1 fail_timeout=60s")
        with edges.edge(directory / "again", servers) as edge:
            with httpx.Client(base_url=edge.url, verify=edge.trust) as client:
                first.is_rude = second.is_rude = True
                assert {client.get("/i/link/").status_code for _ in range(3)} == {502}
                first.is_rude = second.is_rude = False
                assert {client.get("/i/link/").status_code for _ in range(3)} == {200}


def test_process_that_is_back_gets_sockets_at_once(directory):
    """While sockets are open, nginx does not forget that it had failed (deploy/nginx/start.sh)."""
    with echo() as first, echo() as second:
        servers = (first.line + second.line).replace("max_fails=0", "max_fails=1 fail_timeout=60s")
        with edges.edge(directory / "back", servers) as edge:
            first.is_rude = True
            before = [_opened(edge, f"/ws/interviews/{number}/") for number in range(4)]
            first.is_rude, second.is_rude = False, True
            after = [_opened(edge, f"/ws/interviews/{number}/") for number in range(4)]
    for _, secured in before + after:
        secured.close()
    assert {status for status, _ in before + after} == {b"101"}


def test_open_connection_outlives_a_reload(edge):
    with _secured(edge) as secured:
        secured.sendall(b"POST /i/link/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n")
        edge.reload()
        secured.sendall(b"{}")
        assert secured.recv(4096).startswith(b"HTTP/1.1 200")


def _dialled(edge: edges.Edge) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(edge.values["EDGE_HTTPS_PORT"])), timeout=60)


def _secured(edge: edges.Edge) -> ssl.SSLSocket:
    return edge.trust.wrap_socket(_dialled(edge), server_hostname="localhost")


def _opened(edge: edges.Edge, path: str) -> tuple[bytes, ssl.SSLSocket]:
    """Return the status of a handshake, and its socket."""
    secured = _secured(edge)
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    secured.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n".encode())
    return secured.recv(4096).split()[1], secured


def _raw(edge: edges.Edge, request: str) -> bytes:
    """Return all that is answered to a request that httpx would put in order."""
    with _secured(edge) as secured:
        secured.sendall(request.encode())
        return b"".join(iter(lambda: secured.recv(65_536), b""))
