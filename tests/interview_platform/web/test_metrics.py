"""docs/metrics.md lists every metric correctly."""

import re
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram

from interviews.candidate import metrics as of_interviews
from voice import metrics as of_voice
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
    metrics = [
        metric
        for module in (of_voice, of_interviews)
        for metric in vars(module).values()
        if isinstance(metric, Counter | Gauge | Histogram)
    ]
    return {
        metric._name + ("_total" if isinstance(metric, Counter) else ""): (
            metric._type,
            False,
            tuple(sorted(metric._labelnames)),
        )
        for metric in metrics
    }


def shared():
    return {
        family.name: (family.type, True, tuple(sorted(family.samples[0].labels)))
        for family in prometheus.SHARED.collect()
    }


@pytest.mark.django_db
def test_document_lists_every_metric_with_its_kind_and_labels(clean_redis):
    assert documented() == counted() | shared()
