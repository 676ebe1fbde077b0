"""Each request has an id; the proxy's, if it is one."""

import daphne.server  # noqa: F401  first: it chooses the reactor of Twisted
import pytest

from interview_platform.server.correlated import Correlated
from tests.voice.infra.test_tracing import TOLD, ended  # noqa: F401  a fixture
from voice.infra import correlation, tracing

PROXYS = "0f" * 16


async def served(*, kind="http", path="/health", headers=()):
    """Serve one request; return the id that the application knew, and what was sent."""
    known, sent = [], []

    async def application(scope, receive, send):
        known.append(correlation.request_id())
        if kind == "http":
            await send({"type": "http.response.start", "status": 503, "headers": [(b"a", b"b")]})
        else:
            await send({"type": "websocket.accept"})
        known.append(tracing.trace_id())

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "path": path, "headers": list(headers), "method": "GET"}
    await Correlated(application)(scope, None, send)
    return known, sent


async def test_id_of_the_proxy_is_kept_and_told():
    (known, _), (start,) = await served(headers=[(b"x-request-id", PROXYS.encode())])
    assert known == PROXYS
    assert start["headers"] == [(b"a", b"b"), (b"x-request-id", PROXYS.encode())]
    assert correlation.request_id() == ""


@pytest.mark.parametrize("told", [b"", b"short", b"aB3_x9Kq2LmN4pR7sT0v", b"ipk_12345678"])
async def test_own_id_is_made_for_none_and_for_what_opens_something(told):
    (known, _), _ = await served(headers=[(b"x-request-id", told)])
    assert known != told.decode()
    assert correlation.accepted(known)


async def test_request_is_a_span_by_its_pattern(ended):  # noqa: F811
    (request_id, trace_id), _ = await served(path="/i/a-candidates-link/")

    (span,) = ended()
    assert span.name == "GET /i/<str:token>/"
    assert f"{span.context.trace_id:032x}" == trace_id
    assert span.attributes["http.request.id"] == request_id
    assert span.attributes["error.type"] == "503"
    assert "a-candidates-link" not in str(dict(span.attributes))


async def test_span_of_a_socket_ends_with_its_handshake(ended):  # noqa: F811
    await served(kind="websocket", path="/ws/interviews/a-candidates-link/")
    (span,) = ended()
    assert span.attributes["http.response.status_code"] == 101


async def test_probes_are_not_traced(ended):  # noqa: F811
    await served(path="/health")
    assert not ended()


@pytest.mark.parametrize("is_proxys", [True, False])
async def test_trace_of_the_proxy_goes_on_only_where_the_settings_say_so(ended, settings, is_proxys):  # noqa: F811
    settings.TRACE_OF_PROXY = is_proxys
    await served(path="/admin/", headers=[(b"traceparent", TOLD.encode())])
    assert (f"{ended()[0].context.trace_id:032x}" == TOLD[3:35]) is is_proxys
