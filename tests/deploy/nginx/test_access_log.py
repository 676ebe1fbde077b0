"""The access log: what was asked for, and nothing that opens something or names a person."""

import json
import re

import httpx
import pytest
from django.urls import get_resolver

from interview_platform.routing import websocket_urlpatterns
from tests.deploy.nginx import edge as edges
from tests.faults.waiting import wait_for

SECRET = "S3cretOfACandidate"
OPENING = (
    f"/i/{SECRET}/",
    f"/i/{SECRET}/room/?tab={SECRET}",
    f"/ws/interviews/{SECRET}/?tab=1",
    f"/recordings/{SECRET}",
    f"/speech/{SECRET}.flac",
    f"/open/{SECRET}/",
    f"/join/{SECRET}/",
    f"/unknown/{SECRET}",
    f"/static/{SECRET}",
    f"/admin/?q={SECRET}",
    f"/api/v1/voice/synthesize?text={SECRET}",
)
TELLING = {
    "Authorization": f"Bearer {SECRET}",
    "Referer": f"https://localhost/i/{SECRET}/",
    "User-Agent": SECRET,
    "Cookie": f"sessionid={SECRET}",
    "X-Request-ID": f"{SECRET} of two words",
}


def test_log_holds_no_secret(edge, browser):
    numbers = [browser.get(path, headers=TELLING).headers["x-request-id"] for path in OPENING]
    lines = _lines(edge, numbers)
    assert len(lines) >= len(OPENING) - 1  # static files are not logged
    assert SECRET not in edge.access_log.read_text()


def test_error_log_holds_no_secret(directory):
    """A refusal, and a web process that is away: nginx itself would quote the whole request."""
    with edges.edge(directory / "away", "server 127.0.0.1:9 max_fails=0;", LINK_BURST="1") as edge:
        with httpx.Client(base_url=edge.url, verify=edge.trust) as client:
            statuses = [client.get(f"/i/{SECRET}/", headers=TELLING).status_code for _ in range(4)]
        assert set(statuses) == {502, 429}
        assert SECRET not in edge.error_log.read_text()


def test_log_says_what_happened(edge, browser):
    number = browser.get(f"/i/{SECRET}/room/").headers["x-request-id"]
    (line,) = _lines(edge, [number])
    assert line["http.route"] == "candidate-room"
    assert line["http.request.method"] == "GET"
    assert line["http.response.status_code"] == 200
    assert line["client.address"] == "127.0.0.0/24"
    assert line["nginx.upstream.status"] == "200"
    assert isinstance(line["event.duration"], int)


@pytest.mark.parametrize(
    "root",
    sorted(
        {
            re.split(r"[<(\[\\]", str(pattern.pattern).lstrip("^"))[0].rstrip("?$")
            for pattern in (*get_resolver().url_patterns, *websocket_urlpatterns)
        }
        - {""}
    ),
)
def test_each_address_of_the_platform_has_a_route(edge, root):
    routes = dict(
        re.findall(
            r'^    "?(~\^\S+|/)"? ([\w-]+);', (edges.FOLDER / "snippets/routes.conf").read_text(), re.M
        )
    )
    assert any(re.match(pattern.lstrip("~").rstrip('"'), f"/{root}x/y/") for pattern in routes), root


def _lines(edge: edges.Edge, numbers: list[str]) -> list[dict]:
    """Return the lines of these requests, once the last is written."""

    def found() -> list[dict]:
        lines = map(json.loads, edge.access_log.read_text().splitlines())
        return [line for line in lines if line["http.request.id"] in numbers]

    wait_for(lambda: any(line["http.request.id"] == numbers[-1] for line in found()), "the log")
    return found()
