"""A release replaces every process without a lost interview."""

from interview_platform.demo.programs import AFTER_DRAIN_S
from interview_platform.server import drain
from tests.deploy.kubernetes.manifests import of_kind, pods, settings

SLOWEST_END_S = 23
"""A worker whose model held Python's lock took this long to end."""
GIVE_BACK_S = 8
"""Time after WORKER_GRACE_S to give back what was not done (docs/configuration.md)."""


def test_web_has_the_time_that_it_needs_to_drain(overlay):
    pod = pods(overlay)["web"]
    gone_from_the_gateway_s = pod.container["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain_s = float(settings(overlay)["DRAIN_S"])

    assert gone_from_the_gateway_s >= 5
    assert AFTER_DRAIN_S >= drain.LAST_S
    assert pod.spec["terminationGracePeriodSeconds"] >= gone_from_the_gateway_s + drain_s + AFTER_DRAIN_S


def test_workers_have_the_time_that_they_need_to_end(overlay):
    grace_s = float(settings(overlay)["WORKER_GRACE_S"])
    for name, pod in pods(overlay).items():
        if pod.lists:
            assert pod.spec["terminationGracePeriodSeconds"] >= max(grace_s, SLOWEST_END_S) + GIVE_BACK_S, (
                name
            )


def test_first_process_is_the_image_s_own(overlay):
    """It is an init, tini, which `command` would replace; a worker needs it to end in time."""
    for pod in pods(overlay).values():
        assert not any("command" in container for container in pod.every_container), pod.owner


def test_old_pods_stay_until_new_ones_are_ready(overlay):
    for name, deployment in of_kind(overlay, "Deployment").items():
        if name != "cron":
            assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
            assert pods(overlay)[name].container["readinessProbe"]["httpGet"]["path"] == "/ready"


def test_new_pods_wait_for_the_migration(overlay):
    for pod in pods(overlay).values():
        before = {each["name"] for each in pod.spec.get("initContainers", ())}
        assert ("migrated" in before) == (pod.kind == "Deployment"), pod.owner


def test_probes_are_patient_with_a_busy_model(overlay):
    for name, pod in pods(overlay).items():
        if pod.kind != "Deployment":
            continue
        alive, start = pod.container["livenessProbe"], pod.container["startupProbe"]
        assert start["periodSeconds"] * start["failureThreshold"] >= 120, name
        assert alive["httpGet"]["path"] == start["httpGet"]["path"] == "/health"
        assert alive["periodSeconds"] * alive["failureThreshold"] >= 30
        assert alive["timeoutSeconds"] >= (15 if pod.lists else 5)  # 8.7 s were seen


def test_probes_ask_a_port_that_the_process_opens(overlay):
    ports = {"web": 8000, "cron": int(settings(overlay)["CRON_PORT"])}
    for name, pod in pods(overlay).items():
        if pod.kind != "Deployment":
            continue
        (port,) = pod.container["ports"]
        assert port["containerPort"] == ports.get(name, int(settings(overlay)["WORKER_PORT"]))
        probes = [each for key, each in pod.container.items() if key.endswith("Probe")]
        assert {probe["httpGet"]["port"] for probe in probes} == {port["name"]}


def test_disruptions_leave_a_pod_of_everything_that_someone_waits_for(overlay):
    budgets = of_kind(overlay, "PodDisruptionBudget")
    live = {
        name for name, each in of_kind(overlay, "ScaledObject").items() if each["spec"]["minReplicaCount"]
    }

    assert set(budgets) == live
    for name, budget in budgets.items():
        assert budget["spec"]["selector"]["matchLabels"] == {"app.kubernetes.io/component": name}
        assert budget["spec"]["maxUnavailable"] == 1


def test_only_pools_that_may_be_away_go_to_spot_nodes(every_overlay):
    scaled = of_kind(every_overlay["spot"], "ScaledObject")
    on_spot = {name for name, pod in pods(every_overlay["spot"]).items() if tolerates_spot(pod)}

    assert on_spot == {f"worker-{name}" for name in ("stt-later", "stt-batch", "brain-later", "stt-gpu")}
    assert not any(scaled[name]["spec"]["minReplicaCount"] for name in on_spot)
    assert not any(map(tolerates_spot, pods(every_overlay["gpu"]).values()))


def tolerates_spot(pod):
    return any(each["key"] == "spot" for each in pod.spec.get("tolerations", ()))
