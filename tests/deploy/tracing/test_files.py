"""The collector's configuration, and traces that begin at NGINX."""

import re
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import yaml

from tests.conftest import ROOT
from tests.deploy.tracing import nginx

TRACING = ROOT / "deploy" / "tracing"


def test_pipeline_of_the_collector_uses_what_is_defined():
    collector = yaml.safe_load((TRACING / "collector.yaml").read_text())
    for pipeline in collector["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            assert names, kind
            assert set(names) <= collector[kind].keys()
    assert set(collector["service"]["extensions"]) == collector["extensions"].keys()


def test_collector_waits_for_a_whole_answer():
    sampling = yaml.safe_load((TRACING / "collector.yaml").read_text())["processors"]["tail_sampling"]
    assert int(sampling["decision_wait"].removesuffix("s")) >= 300
    assert {policy["type"] for policy in sampling["policies"]} == {"status_code", "and", "probabilistic"}


@pytest.fixture
def behind_nginx(tmp_path):
    """The address of an NGINX with our file, and the headers that came through it."""
    came = []

    class Upstream(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(self.headers)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Upstream) as upstream:
        Thread(target=upstream.serve_forever, daemon=True).start()
        with nginx.passing_to(f"127.0.0.1:{upstream.server_port}", tmp_path) as url:
            yield url, came
        upstream.shutdown()


@pytest.mark.skipif(not nginx.PROGRAM, reason="nginx is not installed")
def test_nginx_begins_the_trace_under_its_own_id_whatever_the_client_says(behind_nginx):
    url, came = behind_nginx
    forged = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    urllib.request.urlopen(urllib.request.Request(url, headers=forged), timeout=30).close()

    (headers,) = came
    request_id = headers["X-Request-ID"]
    assert re.fullmatch(f"00-{request_id}-{request_id[:16]}-0[01]", headers["traceparent"])
