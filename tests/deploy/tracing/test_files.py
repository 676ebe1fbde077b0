"""The collector's configuration, and the services that compose adds."""

import re

import yaml

from tests.conftest import ROOT

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


def test_collector_knows_its_exporter_by_name():
    """`otlp_http` was called `otlphttp` before 0.144."""
    services = yaml.safe_load((TRACING / "compose.yaml").read_text())["services"]
    version = re.search(r":0\.(\d+)\.", services["collector"]["image"])
    assert int(version[1]) >= 144


def test_collector_reaches_a_store_elsewhere():
    services = yaml.safe_load((TRACING / "compose.yaml").read_text())["services"]
    assert services["collector"]["environment"]["TRACES_ENDPOINT"].startswith("${TRACES_ENDPOINT:-")
    assert set(services["collector"]["networks"]) == {"outside", "stores"}
