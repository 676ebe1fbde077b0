"""Dashboards: written by generate.py, loadable side by side, asking only for metrics that exist."""

import importlib.util
import sys

import pytest
import yaml

from tests.deploy.monitoring import expressions
from tests.deploy.monitoring.expressions import DASHBOARDS, MONITORING

UNITS = {"short", "s", "bytes", "Bps", "percentunit", "reqps", "ops"}
ALL = expressions.dashboards()


def test_subjects_are_covered():
    assert set(ALL) == {"product", "speech", "queues", "stores", "capacity"}


def test_dashboards_are_what_generate_writes(monkeypatch):
    pytest.importorskip("grafana_foundation_sdk", reason="the package grafana-foundation-sdk is not here")
    monkeypatch.syspath_prepend(MONITORING / "grafana")
    spec = importlib.util.spec_from_file_location("generate", MONITORING / "grafana" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)

    made = {board.uid: generate.text(board) for board in generate.ALL}

    for name in [name for name in sys.modules if name.partition(".")[0] == "boards"]:
        del sys.modules[name]
    assert made == {f"interviews-{name}": (DASHBOARDS / f"{name}.json").read_text() for name in ALL}


@pytest.mark.parametrize("name", ALL)
class TestDashboard:
    def test_has_an_address_and_numbers_of_its_own(self, name):
        ids = [panel["id"] for panel in ALL[name]["panels"]]

        assert ALL[name]["uid"] == f"interviews-{name}"
        assert len(set(ids)) == len(ids)

    def test_lets_the_data_source_be_chosen(self, name):
        chosen = {"type": "prometheus", "uid": "${datasource}"}
        panels = [panel for panel in ALL[name]["panels"] if panel["type"] != "row"]
        sources = [panel["datasource"] for panel in panels]
        sources += [target["datasource"] for panel in panels for target in panel["targets"]]

        assert [variable["name"] for variable in ALL[name]["templating"]["list"]] == ["datasource"]
        assert all(source == chosen for source in sources)

    def test_panels_have_units_and_lie_side_by_side(self, name):
        panels = [panel for panel in ALL[name]["panels"] if panel["type"] != "row"]
        cells = [
            (x, y)
            for panel in panels
            for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        ]

        assert {panel["fieldConfig"]["defaults"]["unit"] for panel in panels} <= UNITS
        assert len(set(cells)) == len(cells)
        assert max(x for x, _ in cells) < 24

    def test_asks_only_for_metrics_that_exist(self, name):
        asked = {
            panel: names
            for board, panel, queries in expressions.panels()
            for query in queries
            if board == name and (names := expressions.names_in(query) - expressions.known_names())
        }
        assert asked == {}


def test_latencies_lead_to_traces():
    with_traces = {
        panel["title"]
        for dashboard in ALL.values()
        for panel in dashboard["panels"]
        if any(target.get("exemplar") for target in panel.get("targets", []))
    }
    source = yaml.safe_load((MONITORING / "grafana/provisioning/datasources/prometheus.yml").read_text())
    destinations = source["datasources"][0]["jsonData"]["exemplarTraceIdDestinations"]

    assert {"Job", "Recognition: one call", "Call until answered"} <= with_traces
    assert [destination["name"] for destination in destinations] == ["trace_id"]


def test_every_documented_metric_is_on_a_dashboard_or_in_a_rule():
    text = (expressions.ROOT / "docs" / "metrics.md").read_text()
    asked = expressions.names_asked()
    shown = {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in asked}

    assert {name for name, _ in expressions.DOCUMENTED.findall(text)} - shown == set()
