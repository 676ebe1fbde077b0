"""/health, and /ready as used by a load balancer and by the demo."""

import threading

import pytest

from interview_platform.web import health
from voice.inference import reports
from voice.inference.reports import EngineReport
from voice.monitoring import readiness

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stores(monkeypatch, clean_redis):
    """A function that replaces the check of a store."""

    def replace(**checks):
        monkeypatch.setattr(readiness, "STORES", {**readiness.STORES, **checks})

    return replace


def away():
    raise ConnectionError("at a secret address")


async def ask(client, address="/ready"):
    answer = await client.get(address)
    return answer.status_code, answer.json()


async def test_process_whose_stores_answer_is_ready_though_no_worker_is_warm(async_client, clean_redis):
    status, body = await ask(async_client)
    assert (status, body["ready"]) == (200, True)
    assert {name for name, state in body["parts"].items() if state == "ok"} == set(readiness.STORES)
    assert body["parts"]["synthesis"].startswith("no worker has a warm engine yet")


async def test_everything_is_ready_once_both_directions_are_warm(async_client, clean_redis):
    assert (await ask(async_client, "/ready?all"))[0] == 503
    published = [EngineReport(name, "an engine", "", "cpu", "ready") for name in ("recognition", "synthesis")]
    reports.publish(published, clean_redis)
    status, body = await ask(async_client, "/ready?all")
    assert (status, set(body["parts"].values())) == (200, {"ok"})


@pytest.mark.parametrize("store", ["postgresql", "redis"])
async def test_process_without_a_store_that_it_needs_is_not_ready(async_client, stores, store):
    stores(**{store: away})
    status, body = await ask(async_client)
    assert (status, body["ready"], body["parts"][store]) == (503, False, "ConnectionError")


async def test_process_that_leaves_is_not_ready(async_client, clean_redis, monkeypatch):
    monkeypatch.setattr(health, "is_draining", lambda: True)
    assert (await ask(async_client))[0] == 503


async def test_object_storage_that_is_away_keeps_no_candidate_out(async_client, stores):
    stores(storage=away)
    status, body = await ask(async_client)
    assert (status, body["parts"]["storage"]) == (200, "ConnectionError")
    assert (await ask(async_client, "/ready?all"))[0] == 503


async def test_store_that_hangs_is_told_in_time_and_asked_once(async_client, stores, monkeypatch):
    monkeypatch.setattr(readiness, "WITHIN_S", 0.05)
    answer, asked = threading.Event(), []

    def hang():
        asked.append(threading.current_thread())
        answer.wait(120)

    stores(storage=hang)
    for _ in range(2):
        assert (await ask(async_client, "/ready?all"))[1]["parts"]["storage"] == "no answer within 0.05 s"
    answer.set()
    assert len(asked) == 1
    asked[0].join()


def test_store_that_answers_again_is_asked_again():
    answers = iter([ConnectionError("a"), None])

    def check():
        if error := next(answers):
            raise error

    assert readiness.states({"store": check}) == {"store": "ConnectionError"}
    assert readiness.states({"store": check}) == {"store": "ok"}


@pytest.mark.parametrize("host", ["10.1.2.3:8000", "not a name", ""])
@pytest.mark.parametrize("address", ["/health", "/ready", "/metrics"])
async def test_probe_asks_under_any_host_over_plain_http(async_client, clean_redis, settings, address, host):
    settings.SECURE_SSL_REDIRECT = True
    assert (await async_client.get(address, headers={"host": host})).status_code == 200


@pytest.mark.parametrize("address", ["/", "/health/", "/healthy", "/api/health", "/ready/x", "//health"])
async def test_nothing_else_answers_under_an_unknown_host(async_client, address):
    assert (await async_client.get(address, headers={"host": "10.1.2.3"})).status_code == 400
