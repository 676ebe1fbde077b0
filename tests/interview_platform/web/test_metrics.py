"""docs/metrics.md lists every metric correctly; /metrics is for those who may scrape it."""

import re
from ipaddress import ip_network
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from interview_platform import urls  # noqa: F401  loads all that counts
from interview_platform.web import api
from interviews.webhooks import metrics as of_webhooks  # noqa: F401  of the workers that deliver
from voice.monitoring import prometheus

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+)(, shared)? \|(.*?)\| .+ \|$", re.MULTILINE)
LABEL = re.compile(r"`(\w+)`")


def documented():
    return {
        name: (kind, bool(shared), tuple(sorted(LABEL.findall(labels))))
        for name, kind, shared, labels in ROW.findall(DOCUMENT.read_text())
    }


def counted():
    families = [family for family in REGISTRY.collect() if family.name.startswith(("voice_", "interviews_"))]
    return {
        family.name + ("_total" if family.type == "counter" else ""): (
            family.type,
            False,
            tuple(sorted(REGISTRY._names_to_collectors[family.name]._labelnames)),
        )
        for family in families
    }


def shared():
    return {
        family.name: (family.type, True, tuple(sorted(family.samples[0].labels)))
        for family in prometheus.SHARED.collect()
    }


@pytest.mark.django_db
def test_document_lists_every_metric_with_its_kind_and_labels(clean_redis):
    assert documented() == counted() | shared()


@pytest.mark.django_db
def test_page_is_in_the_format_that_is_asked_for(client, clean_redis, settings):
    settings.DEBUG = True
    openmetrics = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"

    plain = client.get("/metrics")
    page = client.get("/metrics", headers={"accept": openmetrics})

    assert plain["Content-Type"].startswith("text/plain; version=0.0.4")
    assert page["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name for family in text_string_to_metric_families(page.content.decode())}
    assert {"voice_jobs", "voice_queue_length", "interviews_candidates"} <= families


@pytest.fixture
def ask(client, db, settings, monkeypatch):
    """Ask for the metrics; return the status. Their text is not made."""
    settings.METRICS_NETWORKS, settings.METRICS_TOKEN = [], ""
    monkeypatch.setattr(prometheus, "text", lambda encode: b"all of it")

    def ask(address="192.0.2.7", **headers):
        response = client.get("/metrics", REMOTE_ADDR=address, headers=headers)
        assert (response.content == b"all of it") == (response.status_code == 200)
        return response.status_code

    return ask


def test_metrics_are_closed_to_strangers(ask, settings):
    assert [ask(), ask("127.0.0.1"), ask(authorization="Bearer "), ask(authorization="Bearer x")] == [401] * 4
    settings.DEBUG = True
    assert ask() == 200


def test_metrics_are_open_to_the_token(ask, settings):
    settings.METRICS_TOKEN = "scrape-me"
    assert ask(authorization="Bearer scrape-me") == ask(authorization="bearer scrape-me") == 200
    assert ask(authorization="Bearer scrape") == ask(authorization="Basic scrape-me") == ask() == 401


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("10.1.2.3", 200),
        ("::ffff:10.1.2.3", 200),
        ("fd00::7", 200),
        ("11.1.2.3", 401),
        ("fd01::7", 401),
        ("", 401),
    ],
)
def test_metrics_are_open_to_networks(ask, settings, address, status):
    settings.METRICS_NETWORKS = [ip_network("10.0.0.0/8"), ip_network("fd00::/64")]
    assert ask(address) == status


def test_network_is_that_of_the_client_not_of_the_proxy(ask, settings):
    settings.METRICS_NETWORKS = [ip_network("10.0.0.0/8")]
    settings.BEHIND_PROXY = True
    assert ask("10.0.0.1", x_forwarded_for="10.0.0.2, 192.0.2.7") == 401
    assert ask("10.0.0.1", x_forwarded_for="192.0.2.7, 10.0.0.2") == 200
    assert ask("10.0.0.1") == 200  # Prometheus asks the process itself


def test_description_of_the_api_is_made_once(client, monkeypatch):
    made = []
    make = api.api.get_openapi_schema
    monkeypatch.setattr(api.api, "get_openapi_schema", lambda **options: made.append(1) or make(**options))
    api._document.cache_clear()

    first = client.get("/api/openapi.json")
    again = client.get("/api/openapi.json", headers={"if-none-match": first["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert first.json()["info"]["title"] == "Interviews and speech"
    assert client.get("/api/openapi.json").content == first.content
    assert client.post("/api/openapi.json").status_code == 405
    assert made == [1]
