"""What deploy/monitoring asks Prometheus, and which metrics there are to ask for."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[3]
MONITORING: Final = ROOT / "deploy" / "monitoring"
PROMETHEUS: Final = MONITORING / "prometheus"
RULES: Final = PROMETHEUS / "rules"
DASHBOARDS: Final = MONITORING / "grafana" / "dashboards"
RUNBOOKS: Final = ROOT / "docs" / "runbooks"

OF_EXPORTERS: Final = {
    "prometheus": (
        *("up", "scrape_duration_seconds", "ALERTS"),
        *("prometheus_config_last_reload_successful", "prometheus_rule_evaluation_failures_total"),
        "prometheus_notifications_dropped_total",
    ),
    "redis": (
        *("redis_up", "redis_memory_used_bytes", "redis_memory_max_bytes", "redis_evicted_keys_total"),
        *("redis_aof_enabled", "redis_aof_last_write_status", "redis_connected_clients"),
        *("redis_blocked_clients", "redis_commands_processed_total", "redis_commands_total"),
        *("redis_commands_duration_seconds_total", "redis_net_input_bytes_total"),
        "redis_net_output_bytes_total",
    ),
    "postgres": (
        *(
            "pg_up",
            "pg_stat_activity_count",
            "pg_stat_activity_max_tx_duration",
            "pg_settings_max_connections",
            "pg_stat_archiver_failed_count",
        ),
        *("pg_stat_database_xact_commit", "pg_stat_database_xact_rollback", "pg_stat_database_blks_hit"),
        *("pg_stat_database_blks_read", "pg_stat_database_deadlocks", "pg_database_size_bytes"),
    ),
    "nginx": ("nginx_up", "nginx_connections_active", "nginx_connections_waiting"),
    "blackbox": ("probe_success", "probe_duration_seconds", "probe_ssl_earliest_cert_expiry"),
    "node": (
        *("node_filesystem_avail_bytes", "node_filesystem_size_bytes", "node_memory_MemAvailable_bytes"),
        *("node_memory_MemTotal_bytes", "node_cpu_seconds_total", "node_network_receive_bytes_total"),
        *("node_network_transmit_bytes_total", "node_disk_read_bytes_total", "node_disk_written_bytes_total"),
        *("node_load1", "interview_backup_last_success_timestamp_seconds"),
    ),
    "web": (
        "django_http_responses_total_by_status_total",
        "django_http_requests_before_middlewares_total",
        "django_http_requests_latency_including_middlewares_seconds_bucket",
    ),
    "worker": (
        *("process_start_time_seconds", "process_cpu_seconds_total", "process_resident_memory_bytes"),
        *("process_open_fds", "process_max_fds"),
    ),
}
"""The metrics of others that rules and dashboards use, by the job that has them (test_live.py)."""
OF_REPLICAS: Final = ("redis_master_link_up", "pg_replication_lag", "pg_replication_lag_seconds")
"""They exist only where a store has replicas; the newer exporter of PostgreSQL says `_seconds`."""
IN_KUBERNETES: Final = ("kube_cronjob_status_last_successful_time",)
"""Of kube-state-metrics: in the cluster no node exporter reads a file of the CronJob."""

DOCUMENTED: Final = re.compile(r"^\| `(\w+)` \| (\w+)", re.MULTILINE)
_WITHOUT_NAMES: Final = re.compile(
    r'"[^"]*"|\'[^\']*\'|\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)'
)
_NAME: Final = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?!\w*\s*\()")
_WORDS: Final = {"and", "or", "unless", "bool", "by", "on", "without", "offset"}


@dataclass(frozen=True)
class Alert:
    """A rule that alerts, and the file it stands in."""

    file: str
    rule: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.rule["alert"]

    @property
    def page(self) -> str:
        """The name of its page in docs/runbooks."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", self.name).lower() + ".md"


@cache
def rules() -> list[tuple[str, Mapping[str, Any]]]:
    """Return every rule with the name of its file."""
    return [
        (file.name, rule)
        for file in sorted(RULES.glob("*.yml"))
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    ]


def alerts() -> list[Alert]:
    return [Alert(file, rule) for file, rule in rules() if "alert" in rule]


def recorded() -> set[str]:
    return {rule["record"] for _, rule in rules() if "record" in rule}


@cache
def dashboards() -> dict[str, dict[str, Any]]:
    return {file.stem: json.loads(file.read_text()) for file in sorted(DASHBOARDS.glob("*.json"))}


def panels() -> list[tuple[str, str, list[str]]]:
    """Return the dashboard, the title and the queries of every panel."""
    return [
        (name, panel["title"], [target["expr"] for target in panel["targets"]])
        for name, dashboard in dashboards().items()
        for panel in dashboard["panels"]
        if panel["type"] != "row"
    ]


def names_asked() -> set[str]:
    """Return the names of all series that rules and dashboards read."""
    expressions = [rule["expr"] for _, rule in rules()]
    expressions += [query for _, _, queries in panels() for query in queries]
    return {name for expression in expressions for name in names_in(expression)}


def names_in(expression: str) -> set[str]:
    """Return the names of the series that an expression reads."""
    found = _NAME.findall(_WITHOUT_NAMES.sub(" ", expression.replace("$__rate_interval", "1m")))
    return set(found) - _WORDS


@cache
def known_names() -> set[str]:
    """Return the names of all series that may be asked for."""
    known = recorded() | set(OF_REPLICAS) | set(IN_KUBERNETES)
    for names in OF_EXPORTERS.values():
        known |= set(names)
    for name, kind in DOCUMENTED.findall((ROOT / "docs" / "metrics.md").read_text()):
        suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        known |= {name + suffix for suffix in suffixes}
    return known
