"""KEDA reads the keys that the code writes, and its rules are kept (docs/kubernetes.md, "Scaling")."""

import re
from urllib.parse import urlsplit

import pytest
from rq.registry import StartedJobRegistry

from tests.deploy.kubernetes.manifests import MANIFESTS, of_kind, pods, settings
from voice.management.commands import voiceworker
from voice.queues import jobs
from voice.workers.registration import served_by_slots

NOT_COUNTED = {
    "stt-partial": "captions are dropped when PARTIAL_QUEUE_LIMIT wait",
    "stt-call-partial": "captions likewise",
    "stt-ahead": "it is only asked for where slots are idle",
    "cron": "its jobs come every few seconds, and have a slot of their own",
}
"""Lists whose length asks for no further pod, and why."""
TO_ZERO = {"stt-later", "stt-batch", "brain-later", "stt-gpu", "tts-gpu"}


def triggers(scaled, kind):
    return [trigger for trigger in scaled["spec"]["triggers"] if trigger["type"] == kind]


def keys(scaled):
    return {trigger["metadata"]["listName"] for trigger in triggers(scaled, "redis")}


def lists_of(manifests, name):
    return voiceworker.with_calls(pods(manifests)[name].lists)


def slots_of(manifests, name):
    """How many jobs a pod of the pool runs at a time, without those that one list keeps for itself."""
    words = pods(manifests)[name].container["args"]
    own = {each["name"]: each["value"] for each in pods(manifests)[name].container.get("env", ())}
    stt_slots = int((settings(manifests) | own)["STT_SLOTS"])
    if "--slots" in words:
        return int(words[words.index("--slots") + 1])
    recognises = any(each.startswith("stt") for each in lists_of(manifests, name))
    return stt_slots * (voiceworker.RECOGNITIONS_A_SLOT if recognises else 1)


def test_every_pool_and_web_are_scaled(overlay):
    scaled = of_kind(overlay, "ScaledObject")

    assert set(scaled) == set(of_kind(overlay, "Deployment")) - {"cron"}
    assert {name: each["spec"]["scaleTargetRef"] for name, each in scaled.items()} == {
        name: {"name": name} for name in scaled
    }


def test_pools_count_what_waits_and_what_runs_in_their_own_lists(overlay):
    for name, scaled in of_kind(overlay, "ScaledObject").items():
        if name == "web":
            continue
        own = [each for each in lists_of(overlay, name) if each not in NOT_COUNTED]
        if name == "worker-stt-gpu":  # its callers wait in the list of the pool that is always there
            own = ["stt-gpu"]
        wanted = {
            key for each in own for key in (jobs.key(each), StartedJobRegistry.key_template.format(each))
        }
        assert keys(scaled) == wanted, name


def test_running_jobs_never_ask_for_fewer_pods_than_they_fill(overlay):
    for name, scaled in of_kind(overlay, "ScaledObject").items():
        for trigger in triggers(scaled, "redis"):
            if trigger["metadata"]["listName"].startswith("rq:wip:"):
                assert int(trigger["metadata"]["listLength"]) <= slots_of(overlay, name), name


def test_slots_are_those_of_the_code(overlay):
    assert slots_of(overlay, "worker-stt") + 1 == len(served_by_slots(lists_of(overlay, "worker-stt"), 6))
    assert slots_of(overlay, "worker-default") == 3


def test_only_pools_that_may_be_away_go_to_zero(overlay):
    scaled = of_kind(overlay, "ScaledObject")
    to_zero = {name for name, each in scaled.items() if each["spec"]["minReplicaCount"] == 0}

    assert to_zero == {f"worker-{name}" for name in TO_ZERO} & set(scaled)
    assert all(scaled[name]["spec"]["cooldownPeriod"] >= 300 for name in to_zero)


def test_recognition_has_a_floor_in_working_hours(overlay):
    for name in {"worker-stt", "worker-stt-gpu", "worker-tts-gpu"} & set(of_kind(overlay, "ScaledObject")):
        scaled = of_kind(overlay, "ScaledObject")[name]
        (clock,) = triggers(scaled, "cron")
        assert int(clock["metadata"]["desiredReplicas"]) >= max(1, scaled["spec"]["minReplicaCount"])
        assert clock["metadata"]["timezone"]


def test_triggers_take_an_address_without_a_password(overlay):
    (redis,) = of_kind(overlay, "TriggerAuthentication").values()
    address = settings(overlay)["REDIS_ADDRESS"]
    example = (MANIFESTS / "base" / "secret.env.example").read_text()
    url = urlsplit(re.search(r"^REDIS_URL=(.*)$", example, re.MULTILINE)[1])

    assert [each["parameter"] for each in redis["spec"]["configMapTargetRef"]] == ["address"]
    assert [each["parameter"] for each in redis["spec"]["secretTargetRef"]] == ["password"]
    assert "://" not in address
    assert f"{url.hostname}:{url.port}" == address
    assert url.path == "/0"  # the triggers' databaseIndex, as they name none
    assert re.search(r"^REDIS_PASSWORD=(.*)$", example, re.MULTILINE)[1] == url.password


def test_authentication_reads_the_secret_of_this_rendering(overlay):
    (redis,) = of_kind(overlay, "TriggerAuthentication").values()

    assert {each["name"] for each in redis["spec"]["secretTargetRef"]} == set(
        of_kind(overlay, "Secret", "secrets")
    )
    assert {each["name"] for each in redis["spec"]["configMapTargetRef"]} == set(
        of_kind(overlay, "ConfigMap")
    )


def test_scaling_is_keda_s_alone(overlay):
    assert not of_kind(overlay, "HorizontalPodAutoscaler")
    for name in of_kind(overlay, "ScaledObject"):
        assert "replicas" not in of_kind(overlay, "Deployment")[name]["spec"], name


def test_pools_keep_their_size_while_redis_or_prometheus_is_away(overlay):
    for name, scaled in of_kind(overlay, "ScaledObject").items():
        fallback = scaled["spec"]["fallback"]
        assert fallback["behavior"] == "currentReplicasIfHigher", name
        assert fallback["failureThreshold"] == 3
        assert fallback["replicas"] >= scaled["spec"]["minReplicaCount"]


@pytest.mark.parametrize("metric", ["interviews_connections", "voice_connections"])
def test_web_counts_connections_by_the_name_of_their_metric(overlay, metric):
    (trigger,) = of_kind(overlay, "ScaledObject")["web"]["spec"]["triggers"]
    documented = (MANIFESTS.parents[1] / "docs" / "metrics.md").read_text()

    assert metric in trigger["metadata"]["query"]
    assert f"| `{metric}` | gauge |" in documented


def test_web_counts_the_pods_that_are_scraped(overlay):
    (trigger,) = of_kind(overlay, "ScaledObject")["web"]["spec"]["triggers"]
    monitor = of_kind(overlay, "PodMonitor")["web"]["spec"]

    assert 'job="web"' in trigger["metadata"]["query"]
    assert monitor["jobLabel"] == "role"
    assert monitor["selector"]["matchLabels"] == {"role": "web"}
    assert {each["metadata"]["namespace"] for each in of_kind(overlay, "PodMonitor").values()} == {
        "interviews"
    }
    assert 'namespace="interviews"' in trigger["metadata"]["query"]


def test_one_web_pod_goes_in_two_minutes(overlay):
    behavior = of_kind(overlay, "ScaledObject")["web"]["spec"]["advanced"]["horizontalPodAutoscalerConfig"]
    (policy,) = behavior["behavior"]["scaleDown"]["policies"]

    assert policy == {"type": "Pods", "value": 1, "periodSeconds": 120}


def test_document_has_the_floor_and_ceiling_of_each_pool(largest):
    document = (MANIFESTS.parents[1] / "docs" / "kubernetes.md").read_text()
    rows = re.findall(
        r"^\| `([\w-]+)` \| (\d+)(?:; (\d+) in working hours)? \| (\d+) \|", document, re.MULTILINE
    )
    scaled = of_kind(largest, "ScaledObject")

    found = {name: (int(least), int(floor or least), int(most)) for name, least, floor, most in rows}
    assert found.pop("cron") == (1, 1, 1)
    assert found == {name: bounds(each["spec"]) for name, each in scaled.items()}


def bounds(spec):
    """The least pods, those in working hours, and the most."""
    clock = [int(t["metadata"]["desiredReplicas"]) for t in spec["triggers"] if t["type"] == "cron"]
    return spec["minReplicaCount"], max([spec["minReplicaCount"], *clock]), spec["maxReplicaCount"]
