"""What Prometheus scrapes beside compose, and what compose starts, have the same names and ports."""

import re

import pytest
import yaml

from tests.deploy.monitoring.expressions import MONITORING, PROMETHEUS

PLATFORM = MONITORING.parent / "compose.yaml"
OWN = yaml.safe_load((MONITORING / "compose.yaml").read_text())["services"]
JOBS = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]


def hosts():
    """The names that Prometheus and the exporters reach: those of services."""
    found = set()
    for job in JOBS:
        found |= {name for discovery in job.get("dns_sd_configs", []) for name in discovery["names"]}
        targets = [target for static in job.get("static_configs", []) for target in static["targets"]]
        targets += [rule["replacement"] for rule in job.get("relabel_configs", []) if "replacement" in rule]
        found |= {target.partition(":")[0] for target in targets}
    text = (MONITORING / "compose.yaml").read_text()
    found |= set(re.findall(r"(?:http|redis)://([\w-]+):", text)) | set(re.findall(r"@([\w-]+):", text))
    return found - {"localhost", "127"}


@pytest.mark.skipif(not PLATFORM.exists(), reason="deploy/compose.yaml is not here")
def test_every_target_is_a_service():
    platform = yaml.safe_load(PLATFORM.read_text())["services"]
    assert hosts() <= {*platform, *OWN}


def test_services_run_without_rights_and_with_limits():
    for name, service in OWN.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["deploy"]["resources"]["limits"]["memory"], name
        assert re.fullmatch(r"\$\{[A-Z_]+_IMAGE:-[\w./-]+:[\w.-]+\}", service["image"]), name


def test_ports_are_open_on_this_machine_only():
    ports = [port for service in OWN.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_data_source_is_where_prometheus_listens():
    file = MONITORING / "grafana" / "provisioning" / "datasources" / "prometheus.yml"
    urls = {source["name"]: source["url"] for source in yaml.safe_load(file.read_text())["datasources"]}
    assert urls == {"Prometheus": "http://prometheus:9090", "Alertmanager": "http://alertmanager:9093"}
    assert {name.lower() for name in urls} <= set(OWN)
