"""What Elasticsearch, Kibana and the shippers are told fits what the platform writes, and each other."""

import json
import logging
import subprocess

import pytest
import yaml

from interview_platform.backends import logs
from interview_platform.server import access_log
from tests.conftest import ROOT
from voice.infra import correlation

LOGGING = ROOT / "deploy" / "logging"
DATA_STREAM = "logs-interview_platform-default"
OF_SHIPPERS = {"service.node.role"}
"""Fields that Filebeat adds; the template maps them as all strings."""


def mapped() -> set[str]:
    """The fields of the index template."""
    template = json.loads((LOGGING / "elasticsearch" / "index-template.json").read_text())

    def names(properties: dict, before: str = "") -> set[str]:
        return {
            name
            for key, value in properties.items()
            for name in (
                names(value["properties"], f"{before}{key}.") if "properties" in value else {before + key}
            )
        }

    return names(template["template"]["mappings"]["properties"])


def fields_of(value: object, name: str = "") -> set[str]:
    """The names of the fields of a document, with dots."""
    if not isinstance(value, dict):
        return {name}
    return {field for key, each in value.items() for field in fields_of(each, f"{name}.{key}".lstrip("."))}


def written() -> set[str]:
    """The fields of lines: of a job that failed, and of a request."""
    formatter = logs.EcsFormatter()
    told = ("http", "complete", {"path": "/", "method": "GET", "status": 200, "size": 1, "time_taken": 0.1})
    extra = dict.fromkeys(("event.action", "event.outcome", "labels.queue", "labels.job"), "x")
    try:
        raise ValueError
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    line = logging.LogRecord("voice.jobs", logging.INFO, __file__, 1, "done", (), info, "function")
    vars(line).update(extra)
    with correlation.serving("0f" * 16):
        lines = [formatter.format(record) for record in (line, access_log._record(*told))]
    return {field for each in lines for field in fields_of(json.loads(each))}


def test_every_field_that_is_written_is_mapped(monkeypatch):
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.version=1,deployment.environment.name=test")
    monkeypatch.setattr(logs.tracing, "trace_id", lambda: "0f" * 16)
    monkeypatch.setattr(logs.tracing, "span_id", lambda: "0f" * 8)
    assert written() == mapped()


def test_data_stream_has_its_lifecycle_and_one_name_in_all_shippers():
    template = json.loads((LOGGING / "elasticsearch" / "index-template.json").read_text())
    install = (LOGGING / "elasticsearch" / "install.sh").read_text()
    lifecycle = template["template"]["settings"]["index.lifecycle.name"]
    filebeat = yaml.safe_load((LOGGING / "filebeat.yml").read_text())
    pipeline = (LOGGING / "logstash" / "pipeline.conf").read_text()

    assert f"_ilm/policy/{lifecycle} ilm-policy.json" in install
    assert json.loads((LOGGING / "elasticsearch" / "ilm-policy.json").read_text())["policy"][
        "phases"
    ].keys() == {*("hot", "warm", "delete")}
    assert template["index_patterns"] == [DATA_STREAM.replace("default", "*")]
    assert filebeat["output.elasticsearch"]["index"] == DATA_STREAM
    assert f'searchIndex="{DATA_STREAM}"' in (LOGGING / "rsyslog.conf").read_text()
    assert 'dataset => "interview_platform"' in pipeline.replace("data_stream_", "")


def test_template_is_there_before_the_first_line():
    services = yaml.safe_load((LOGGING / "compose.yaml").read_text())["services"]
    assert services["filebeat"]["depends_on"] == {
        "logging-setup": {"condition": "service_completed_successfully"}
    }
    assert "./logging:/logging:ro" in services["logging-setup"]["volumes"]
    assert services["logging-setup"]["entrypoint"][1] == "/logging/elasticsearch/install.sh"


def test_installation_asks_with_the_account_and_shows_it_to_none(tmp_path):
    curl = tmp_path / "curl"
    curl.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/arguments\ncat >>{tmp_path}/account\n')
    curl.chmod(0o755)
    env = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "ELASTICSEARCH": "http://es:9200",
        "ELASTICSEARCH_USERNAME": "elastic",
        "ELASTICSEARCH_PASSWORD": "secret",
        "KIBANA": "http://kibana:5601",
    }
    subprocess.run(["sh", LOGGING / "elasticsearch" / "install.sh"], env=env, check=True, capture_output=True)

    assert (tmp_path / "account").read_text() == 'user = "elastic:secret"\n' * 3
    assert "secret" not in (tmp_path / "arguments").read_text()
    asked = (tmp_path / "arguments").read_text()
    assert asked.index("_ilm/policy") < asked.index("_index_template") < asked.index("saved_objects")


def saved_objects() -> list[dict]:
    lines = (LOGGING / "kibana" / "saved-objects.ndjson").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_saved_objects_refer_to_each_other():
    known = {(each["type"], each["id"]) for each in saved_objects()}
    referred = {(to["type"], to["id"]) for each in saved_objects() for to in each["references"]}
    assert len(known) == len(saved_objects())
    assert referred < known


@pytest.mark.parametrize(
    "search", [each for each in saved_objects() if each["type"] == "search"], ids=lambda s: s["id"]
)
def test_search_shows_fields_that_are_there(search):
    source = json.loads(search["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    asked = source["query"]["query"].split(" : ")[0]
    assert {*search["attributes"]["columns"], asked} <= mapped() | OF_SHIPPERS


@pytest.mark.parametrize("name", ["logging", "tracing"])
def test_files_that_compose_mounts_are_there(name):
    services = yaml.safe_load((ROOT / "deploy" / name / "compose.yaml").read_text())["services"]
    mounted = [v.split(":")[0] for service in services.values() for v in service.get("volumes", ())]
    ours = [path for path in mounted if path.startswith("./")]
    assert ours
    assert all((ROOT / "deploy" / path).exists() for path in ours)
    assert all(service["profiles"] == [name] for service in services.values())
