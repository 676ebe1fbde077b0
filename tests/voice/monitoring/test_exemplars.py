"""A graph of latencies leads to the trace of a call that took so long."""

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from voice import metrics
from voice.infra import tracing
from voice.metrics import TracedHistogram

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def exemplars():
    """A function that observes a value, and returns the labels of the exemplars by bucket."""
    registry = CollectorRegistry()
    histogram = TracedHistogram("wait_seconds", "For a test.", ["queue"], buckets=(1, 10), registry=registry)

    def observe(seconds):
        histogram.labels("stt").observe(seconds)
        (family,) = text_string_to_metric_families(generate_latest(registry).decode())
        return {s.labels["le"]: s.exemplar.labels for s in family.samples if s.exemplar}

    return observe


def test_bucket_names_the_trace_under_way(exemplars, monkeypatch):
    monkeypatch.setattr(TracedHistogram, "trace_id", staticmethod(lambda: TRACE))

    assert exemplars(3.0) == {"10.0": {"trace_id": TRACE}}


def test_histograms_ask_for_the_trace_of_the_platform():
    assert metrics.JOB_SECONDS.labels("stt").trace_id is tracing.trace_id


def test_bucket_names_no_trace_where_none_is_sampled(exemplars):
    assert exemplars(3.0) == {}
