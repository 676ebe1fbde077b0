"""Spans: their parents, what they tell, and what they do not."""

import pytest
from django.db import connection
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode

from voice.infra import tracing
from voice.models import Recording

TOLD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.fixture
def ended(monkeypatch):
    """The spans that have ended, in order."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_is_on", True)
    monkeypatch.setattr(tracing, "_tracer", lambda: provider.get_tracer("tests"))
    return exporter.get_finished_spans


@pytest.mark.parametrize(
    ("environment", "is_wanted"),
    [
        ({}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "true"}, False),
        (ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_environment_says_whether_traces_are_wanted(environment, is_wanted):
    assert tracing.is_wanted(environment) is is_wanted


def test_nothing_happens_while_traces_are_off():
    with tracing.span("one"), tracing.within(tracing.begin("two")):
        tracing.failed("ValueError")
    tracing.end(tracing.begin("three"))

    assert (tracing.traceparent(), tracing.trace_id(), tracing.span_id()) == ("", "", "")
    assert tracing.branch() == (None, None)


def test_span_goes_on_from_what_another_process_told(ended):
    with tracing.span("process stt", "CONSUMER", parent=tracing.remote(TOLD)):
        assert tracing.trace_id() == TOLD[3:35]
        told = tracing.traceparent()

    (span,) = ended()
    assert f"{span.parent.span_id:016x}" == TOLD[36:52]
    assert told == f"00-{TOLD[3:35]}-{span.context.span_id:016x}-01"


@pytest.mark.parametrize("told", ["", "00-0-0-01", "nonsense", TOLD[:-3]])
def test_nonsense_begins_a_trace(ended, told):
    with tracing.span("process stt", parent=tracing.remote(told)):
        pass
    assert ended()[0].parent is None


def test_unsampled_span_is_not_told_to_the_log(ended, monkeypatch):
    unsampled = TracerProvider(sampler=ALWAYS_OFF).get_tracer("tests")
    monkeypatch.setattr(tracing, "_tracer", lambda: unsampled)

    with tracing.span("one"):
        assert (tracing.trace_id(), tracing.span_id()) == ("", "")
        assert not int(tracing.traceparent()[-2:], 16) & 1  # so workers sample nothing either


def test_branch_is_a_trace_of_its_own_with_a_link(ended):
    with tracing.span("GET /ws"):
        parent, link = tracing.branch()
        tracing.end(tracing.begin("upload answer", parent=parent, link=link))

    upload, handshake = ended()
    assert upload.parent is None
    assert upload.context.trace_id != handshake.context.trace_id
    assert [each.context.trace_id for each in upload.links] == [handshake.context.trace_id]


def test_branch_of_a_proxys_trace_belongs_to_it(ended):
    with tracing.span("GET /ws", "SERVER", parent=tracing.remote(TOLD)):
        parent, link = tracing.branch()
        tracing.end(tracing.begin("upload answer", parent=parent, link=link))

    upload, handshake = ended()
    assert upload.parent.span_id == handshake.context.span_id
    assert not upload.links


def test_failure_is_told_by_its_type_alone(ended):
    with pytest.raises(ValueError, match="Ada"), tracing.span("one"):
        raise ValueError("Ada Example said hello")

    (span,) = ended()
    assert span.status.status_code is StatusCode.ERROR
    assert dict(span.attributes) == {"error.type": "ValueError"}
    assert not span.events
    assert not span.status.description


def test_refusal_is_no_failure(ended):
    with pytest.raises(LookupError), tracing.span("command ask", refusal=LookupError):
        raise KeyError
    assert ended()[0].status.status_code is StatusCode.UNSET


def test_span_ends_once(ended):
    context = tracing.begin("upload answer")
    tracing.end(context, {"file.size": 1})
    tracing.end(context)
    assert [dict(span.attributes) for span in ended()] == [{"file.size": 1}]


@pytest.mark.django_db
def test_statement_tells_verb_and_table_but_no_value(ended):
    tracing._trace_statements(connection)
    try:
        Recording.objects.filter(owner="Ada Example").first()  # part of no span
        with tracing.span("process stt"):
            Recording.objects.filter(owner="Ada Example").update(owner="Ada")
            Recording.objects.filter(owner="Ada Example").first()
    finally:
        connection.execute_wrappers.remove(tracing._statement)

    update, select, _ = ended()
    assert (update.name, select.name) == ("UPDATE voice_recording", "SELECT voice_recording")
    assert "Ada" not in str([dict(span.attributes) for span in ended()])
