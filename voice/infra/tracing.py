"""Traces, by OpenTelemetry. Off unless the environment says where they go; then a span costs one comparison.

    with tracing.span("process stt", "CONSUMER", parent=tracing.remote(note), attributes={...}):
        tracing.failed("EngineUnavailable")
    tracing.traceparent()       # for a job: the span goes on there
    tracing.trace_id()          # for a line of the log, or for an exemplar of a metric; "" if not sampled

docs/traces.md lists the spans, and the OTEL_* variables that matter. Attributes hold kinds, counts and ids
of rows, never a text, a name, an address or a link. An exception is told by its type: its message may quote
rows.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

from django.db.backends.signals import connection_created

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

Kind = Literal["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
Attributes = Mapping[str, str | int | float | bool]

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NOTHING: Final[AbstractContextManager[Any]] = nullcontext()
_VERB: Final = re.compile(r"\s*(\w+)")
_TABLE: Final = re.compile(r'\b(?:FROM|INTO|UPDATE)\s+"?(\w+)', re.IGNORECASE)

REQUEST_ID: Final = "http.request.id"
"""The attribute by which a trace is found that belongs to a line of the log."""

SEND_WITHIN_S: Final = 3.0
"""OpenTelemetry's own 10 s would hold up a process that ends while the collector is away."""
_TOLD: Final = "told by another process"
_is_on = False


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether the environment says where traces go, and does not turn them off."""
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_elsewhere = environment.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp"
    return not is_off and not is_elsewhere and any(environment.get(name) for name in _ENDPOINTS)


def install() -> None:
    """Trace from now on if the environment wants it. Called when Django starts (voice.apps).

    The sender is a thread, and starts with the first span: a worker forks before.
    """
    global _is_on
    _is_on = is_wanted(os.environ)
    if _is_on:
        connection_created.connect(_trace_statements)


def is_on() -> bool:
    """Whether this process traces."""
    return _is_on


@cache
def _tracer() -> "Tracer":
    """Return the tracer of this process. Sampler, limits and resource come from the environment."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    within_s = float(os.environ.get("OTEL_EXPORTER_OTLP_TIMEOUT", SEND_WITHIN_S))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=within_s)))
    return provider.get_tracer("interview_platform")


def span(
    name: str,
    kind: Kind = "INTERNAL",
    *,
    parent: "Context | None" = None,
    attributes: Attributes | None = None,
    refusal: type[Exception] | None = None,
) -> AbstractContextManager[Any]:
    """Make the block a span, which ends with the block.

    parent: instead of the span that is under way.
    refusal: an error by which a caller is refused; that is no failure of ours.
    """
    return _spanning(name, kind, refusal, parent=parent, attributes=attributes) if _is_on else _NOTHING


def begin(
    name: str,
    kind: Kind = "INTERNAL",
    *,
    parent: "Context | None" = None,
    link: "Context | None" = None,
    attributes: Attributes | None = None,
) -> "Context | None":
    """Begin a span that ends elsewhere, with `end`; return the context in which it is under way.

    parent: instead of the span that is under way. link: a span that belongs to it without being its parent.
    """
    if not _is_on:
        return None
    from opentelemetry import trace

    links = [trace.Link(trace.get_current_span(link).get_span_context())] if link is not None else ()
    begun = _tracer().start_span(name, parent, trace.SpanKind[kind], attributes, links)
    return trace.set_span_in_context(begun, parent)


def end(context: "Context | None", attributes: Attributes | None = None) -> None:
    """End the span that is under way in this context, once."""
    if context is not None and (ended := _span_of(context)).is_recording():
        ended.set_attributes(attributes or {})
        ended.end()


@contextmanager
def _spanning(name: str, kind: Kind, refusal: type[Exception] | None, **options: Any) -> Iterator[None]:
    context = begin(name, kind, **options)
    try:
        with within(context):
            yield
    except Exception as error:
        if refusal is None or not isinstance(error, refusal):
            failed(type(error).__name__, context)
        raise
    finally:
        end(context)


def within(context: "Context | None") -> AbstractContextManager[Any]:
    """Let the block go on in this context; None: in the one that is."""
    return _attached(context) if context is not None else _NOTHING


@contextmanager
def _attached(context: "Context") -> Iterator[None]:
    from opentelemetry.context import attach, detach

    token = attach(context)
    try:
        yield
    finally:
        detach(token)


def here() -> "Context | None":
    """Return the context of now, to go on in it later; None while traces are off."""
    if not _is_on:
        return None
    from opentelemetry.context import get_current

    return get_current()


def remote(traceparent: str) -> "Context | None":
    """Return the context that another process told of; one without a span if it told of none.

    Source: W3C Trace Context. What is no `traceparent` counts as none.
    """
    if not _is_on:
        return None
    from opentelemetry.context import Context, set_value
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    found = TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())
    return set_value(_TOLD, True, found) if _span_of(found).get_span_context().is_valid else found


def branch() -> "tuple[Context | None, Context | None]":
    """Return parent and link of what is a trace of its own, such as an answer within an interview of an hour.

    If a proxy began the trace it is the proxy's to say what belongs to it, and the work goes on there.
    """
    if not _is_on:
        return None, None
    from opentelemetry.context import Context, get_current, get_value

    return (get_current(), None) if get_value(_TOLD) else (Context(), get_current())


def traceparent() -> str:
    """Return the span that is under way as another process reads it; "" if there is none."""
    if not _is_on or not (found := _span_of(None).get_span_context()).is_valid:
        return ""
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"


def trace_id() -> str:
    """Return the id of the trace that is under way, 32 hexadecimal digits; "" if none is sampled."""
    return _ids()[0]


def span_id() -> str:
    """Return the id of the span that is under way, 16 hexadecimal digits; "" if it is not sampled."""
    return _ids()[1]


def _ids() -> tuple[str, str]:
    if not _is_on or not (found := _span_of(None).get_span_context()).trace_flags.sampled:
        return "", ""
    return f"{found.trace_id:032x}", f"{found.span_id:016x}"


def messaging(list_name: str, operation: Literal["send", "process"]) -> dict[str, str]:
    """Return what a span tells of a job. Source: OpenTelemetry, semantic conventions for messaging spans."""
    return {
        "messaging.system": "rq",
        "messaging.destination.name": list_name,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
    }


def answered(context: "Context", status: int) -> None:
    """Tell the span of this context what was answered; only a 5xx is a failure of the server."""
    _span_of(context).set_attribute("http.response.status_code", status)
    if status >= 500:
        failed(str(status), context)


def failed(error_type: str, context: "Context | None" = None) -> None:
    """Say that a span failed, and by which type of error: the one of this context, else the one under way."""
    if _is_on:
        from opentelemetry.trace import StatusCode

        span = _span_of(context)
        span.set_attribute("error.type", error_type)
        span.set_status(StatusCode.ERROR)


def _span_of(context: "Context | None") -> "Span":
    from opentelemetry.trace import get_current_span

    return get_current_span(context)


def _trace_statements(connection: Any, **_: Any) -> None:
    """Have the statements of a connection be spans. One from the pool says each time that it is made."""
    if _statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(_statement)


def _statement(execute: Callable[..., Any], sql: Any, *arguments: Any) -> Any:
    """Execute a statement, in a span if it is part of one. Of its text, verb and table are told."""
    if not _span_of(None).is_recording():
        return execute(sql, *arguments)
    verb, table = _told(str(sql))
    told = {"db.system.name": "postgresql", "db.operation.name": verb, "db.collection.name": table}
    with span(
        f"{verb} {table}".rstrip(), "CLIENT", attributes={n: value for n, value in told.items() if value}
    ):
        return execute(sql, *arguments)


def _told(statement: str) -> tuple[str, str]:
    """Return the verb and the first table of a statement."""
    verb, table = _VERB.match(statement), _TABLE.search(statement)
    return verb[1].upper() if verb else "", table[1] if table else ""
