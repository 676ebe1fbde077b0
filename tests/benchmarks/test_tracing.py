"""What logs and traces cost, in microseconds of the processor: off, not sampled, and sampled."""

import asyncio
import io
import logging
import time
import timeit
from collections.abc import Callable

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

from interview_platform.backends import logs
from interview_platform.server.correlated import Correlated
from voice.infra import tracing

pytestmark = pytest.mark.benchmarks

TIMES, ROUNDS = 2000, 7
ATTRIBUTES = {"messaging.system": "rq", "messaging.destination.name": "stt"}


def microseconds(work: Callable[[], object]) -> float:
    """The best of some rounds: whatever else runs only adds to it."""
    return min(timeit.repeat(work, timer=time.process_time, number=TIMES, repeat=ROUNDS)) / TIMES * 1e6


def nothing() -> None: ...


def a_span() -> None:
    with tracing.span("process stt", "CONSUMER", attributes=ATTRIBUTES):
        pass


@pytest.fixture
def trace(monkeypatch):
    """Trace with this sampler."""

    def use(sampler) -> None:
        provider = TracerProvider(sampler=sampler)
        provider.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
        tracer = provider.get_tracer("tests")
        monkeypatch.setattr(tracing, "_is_on", True)
        monkeypatch.setattr(tracing, "_tracer", lambda: tracer)

    return use


def requests() -> float:
    """The microseconds of one request through the application that gives ids, without that inside it."""

    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message): ...

    scope = {"type": "http", "path": "/admin/", "method": "GET", "headers": [(b"host", b"x")] * 10}

    async def many(served) -> None:
        for _ in range(TIMES):
            await served(scope, None, send)

    def cost(served) -> float:
        rounds = timeit.repeat(
            lambda: asyncio.run(many(served)), timer=time.process_time, number=1, repeat=ROUNDS
        )
        return min(rounds) / TIMES * 1e6

    return cost(Correlated(application)) - cost(application)


def test_cost_of_traces(figure, trace):
    figure("an empty call, to compare with", microseconds(nothing), "us")
    figure("a span while traces are off", microseconds(a_span), "us", "not measurable in a request of 1 ms")
    figure("the id of a request, traces off", requests(), "us")
    trace(ALWAYS_OFF)
    figure("a span that is not sampled", microseconds(a_span), "us")
    figure("the id and the span of a request, not sampled", requests(), "us")
    trace(ALWAYS_ON)
    figure("a sampled span", microseconds(a_span), "us")
    figure("the id and the span of a request, sampled", requests(), "us")


def test_cost_of_a_line(figure):
    record = logging.makeLogRecord({"name": "voice.jobs", "msg": "job %s: %s", "args": ("store-7", "ok")})
    for name, formatter in (
        ("line", logs.SecretFreeFormatter("%(asctime)s %(levelname)s %(name)s %(message)s")),
        ("JSON", logs.EcsFormatter()),
    ):
        handler = logging.StreamHandler(io.StringIO())
        handler.setFormatter(formatter)
        figure(
            f"a line of the log, {name}", microseconds(lambda handler=handler: handler.handle(record)), "us"
        )
