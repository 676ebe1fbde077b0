"""Alerts: each is explained, tested and reachable; rules ask only for metrics that exist."""

import re
import shutil
import subprocess
from functools import cache

import pytest
import yaml

from tests.deploy.monitoring import expressions
from tests.deploy.monitoring.expressions import MONITORING, PROMETHEUS, RULES, RUNBOOKS

ALWAYS_ON = "Watchdog"
SECTIONS = ("## Symptom", "## Check", "## Fix", "## Prevent")
ALERTS = re.compile(r"^ALERTS\{(.*)\}$")
LABEL = re.compile(r'(\w+)="([^"]*)"')


def run(*command, cwd=PROMETHEUS):
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not on this machine")
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


@cache
def tried():
    """What promtool's tests expect: (alert, severity) with the labels that fire, and who is silent once."""
    firing, silent = {}, set()
    for file in (RULES / "tests").glob("*.yml"):
        for group in yaml.safe_load(file.read_text())["tests"]:
            for test in group["promql_expr_test"]:
                asked = dict(LABEL.findall(test["expr"]))
                silent |= set() if test["exp_samples"] else {asked["alertname"]}
                for sample in test["exp_samples"]:
                    labels = dict(LABEL.findall(ALERTS.match(sample["labels"])[1]))
                    firing[labels["alertname"], labels["severity"]] = labels
    return firing, silent


@pytest.mark.parametrize(
    "alert", expressions.alerts(), ids=lambda a: f"{a.name}-{a.rule['labels']['severity']}"
)
class TestAlert:
    def test_says_what_is_wrong_and_where_help_is(self, alert):
        annotations = alert.rule["annotations"]

        assert set(annotations) == {"summary", "description", "runbook_url"}
        assert annotations["runbook_url"] == "{{ $externalLabels.runbooks }}/" + alert.page
        assert alert.rule["labels"] == {"severity": alert.rule["labels"]["severity"]}
        assert (alert.rule["labels"]["severity"] == "none") == (alert.name == ALWAYS_ON)
        assert alert.rule["labels"]["severity"] in {"critical", "warning", "none"}

    def test_has_a_page_with_symptom_check_fix_and_prevention(self, alert):
        page = (RUNBOOKS / alert.page).read_text()

        assert page.startswith(f"# {alert.name}\n")
        assert [line for line in page.splitlines() if line.startswith("## ")] == list(SECTIONS)
        assert "```sh" in page.partition("## Fix")[0], "no command that looks"

    def test_is_tested_firing_and_silent(self, alert):
        firing, silent = tried()

        assert (alert.name, alert.rule["labels"]["severity"]) in firing
        assert alert.name in silent or alert.name == ALWAYS_ON

    def test_names_only_labels_that_it_has(self, alert):
        labels = tried()[0][alert.name, alert.rule["labels"]["severity"]]
        named = set(re.findall(r"\$labels\.(\w+)", " ".join(alert.rule["annotations"].values())))

        assert named <= set(labels)


def test_job_that_kubernetes_does_not_have_is_not_missed():
    (missing,) = [alert for alert in expressions.alerts() if alert.name == "TargetMissing"]
    assert "nginx" not in missing.rule["expr"]


def test_external_labels_of_compose_are_named_for_kubernetes_too():
    labels = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["global"]["external_labels"]
    document = (MONITORING.parents[1] / "docs" / "monitoring.md").read_text()
    (named,) = re.findall(r"externalLabels: (\{.*\})", document)
    assert yaml.safe_load(named).keys() == labels.keys()


def test_every_page_is_of_an_alert():
    pages = {alert.page for alert in expressions.alerts()} | {"README.md"}
    assert {file.name for file in RUNBOOKS.glob("*.md")} == pages


def test_list_of_pages_is_complete():
    listed = re.findall(r"\]\(([\w-]+\.md)\)", (RUNBOOKS / "README.md").read_text())
    assert sorted(listed) == sorted({alert.page for alert in expressions.alerts()})


def test_rules_ask_only_for_metrics_that_exist():
    asked = {name: file for file, rule in expressions.rules() for name in expressions.names_in(rule["expr"])}
    assert {name: file for name, file in asked.items() if name not in expressions.known_names()} == {}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('sum by (queue) (rate(a_total{x="b_total"}[5m])) / on (c) d:e:f > 0.05', {"a_total", "d:e:f"}),
        ("count(a == bool 2) or vector(0)", {"a"}),
        ('label_replace(a, "pool", "$1", "queue", "(.+)") unless on (job) b', {"a", "b"}),
        ("1 - a / (b * 14e3)", {"a", "b"}),
    ],
)
def test_names_of_an_expression_are_found(expression, names):
    assert expressions.names_in(expression) == names


def test_no_rule_is_recorded_that_no_one_reads():
    assert expressions.recorded() <= expressions.names_asked()


def test_routes_and_inhibitions_name_alerts_that_exist():
    text = (MONITORING / "alertmanager" / "alertmanager.yml").read_text()
    named = {name for found in re.findall(r'alertname!?=~?"([^"]+)"', text) for name in found.split("|")}
    assert named <= {alert.name for alert in expressions.alerts()}


def test_promtool_accepts_the_rules():
    run("promtool", "check", "rules", *map(str, RULES.glob("*.yml")))


def test_promtool_accepts_the_configuration():
    run("promtool", "check", "config", "--syntax-only", "prometheus.yml")


@pytest.mark.parametrize("file", sorted(file.name for file in (RULES / "tests").glob("*.yml")))
def test_promtool_sees_each_alert_fire_and_end(file, monkeypatch):
    monkeypatch.setenv("GOMAXPROCS", "1")
    run("promtool", "test", "rules", file, cwd=RULES / "tests")


def test_alertmanager_accepts_its_configuration():
    run("amtool", "check-config", "alertmanager.yml", cwd=MONITORING / "alertmanager")


def test_blackbox_exporter_accepts_its_modules():
    file = MONITORING / "blackbox" / "blackbox.yml"
    run("prometheus-blackbox-exporter", "--config.check", f"--config.file={file}")
