"""Every pod is restricted, configured, named and sized."""

import re

import pytest

from tests.deploy.kubernetes.manifests import ROOT, of_kind, pods, settings

MEASURED_MB = {
    "web": 240,  # a thousand candidates on two processes: 481 MB (docs/performance.md)
    "cron": 127,
    "worker-stt": 584,
    "worker-stt-later": 584,
    "worker-stt-batch": 584 + 225,  # a decoded hour of speech
    "worker-tts": 729,
    "worker-audio": 173 + 225,
    "worker-default": 173,
    "worker-brain": 173,
    "worker-brain-later": 173,
}
"""The largest resident memory that was seen, by docs/kubernetes.md; pods with a GPU were not measured."""


VOLUMES = {"secret", "configMap", "emptyDir", "persistentVolumeClaim"}


def in_mib(quantity):
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", quantity).groups()
    return int(number) * {"Mi": 1, "Gi": 1024}[unit]


def test_pods_are_restricted(overlay):
    for pod in pods(overlay).values():
        check_restricted(pod)


def check_restricted(pod):
    """What the level `restricted` asks for, and a read-only root."""
    context = pod.spec["securityContext"]
    assert context["runAsNonRoot"]
    assert context["runAsUser"] == 10001
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not any(pod.spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
    assert all(set(volume) - {"name"} <= VOLUMES for volume in pod.spec["volumes"])
    for container in pod.every_container:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, (pod.owner, container["name"])


def test_namespace_enforces_restricted_pods(overlay):
    (namespace,) = of_kind(overlay, "Namespace").values()

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_pods_have_accounts_without_rights_and_tokens(overlay):
    accounts = of_kind(overlay, "ServiceAccount")

    assert not any(account["automountServiceAccountToken"] for account in accounts.values())
    assert {pod.spec["serviceAccountName"] for pod in pods(overlay).values()} == set(accounts)
    assert not any(pod.spec["automountServiceAccountToken"] for pod in pods(overlay).values())
    assert not [each for each in overlay if "Role" in each["kind"]]


def test_containers_read_settings_and_secrets_of_this_rendering(overlay):
    (config,), (secret,) = of_kind(overlay, "ConfigMap"), of_kind(overlay, "Secret", "secrets")
    for pod in pods(overlay).values():
        volumes = {volume["name"]: volume for volume in pod.spec["volumes"]}
        assert volumes["secrets"]["secret"]["secretName"] == secret
        for container in pod.every_container:
            assert container["envFrom"] == [{"configMapRef": {"name": config}}]
            assert {mount["name"] for mount in container["volumeMounts"]} >= {"secrets", "tmp"}


def test_only_what_works_as_the_owner_of_the_tables_has_its_password(overlay):
    (owner,) = of_kind(overlay, "Secret", "owner")
    with_it = {name for name, pod in pods(overlay).items() if owner in str(pod.spec["volumes"])}
    told = {name for name, pod in pods(overlay).items() if "DATABASE_DIRECT_URL_FILE" in str(pod.container)}

    assert with_it == told == {"migrate", "audit-expiry"}
    assert "DATABASE_DIRECT_URL" not in str(settings(overlay)) + str(of_kind(overlay, "Secret", "secrets"))


def test_each_secret_is_a_file_that_a_setting_names(overlay):
    (secret,) = of_kind(overlay, "Secret", "secrets").values()
    named = {name for name in settings(overlay) if name.endswith("_FILE")}

    assert {f"{name}_FILE" for name in secret["data"]} - named == {"REDIS_PASSWORD_FILE"}  # KEDA's alone
    for name in named:
        assert settings(overlay)[name] == f"/run/secrets/interviews/{name.removesuffix('_FILE')}"
        assert name.removesuffix("_FILE") in secret["data"]


def test_images_are_those_of_the_project(overlay):
    for pod in pods(overlay).values():
        for container in pod.every_container:
            name, _colon, tag = container["image"].partition(":")
            assert name in {f"interview-platform/{kind}" for kind in ("web", "worker-cpu", "worker-gpu")}
            assert tag not in ("", "latest")


def test_only_pods_with_a_gpu_have_the_image_for_it(largest):
    with_gpu = {
        name
        for name, pod in pods(largest).items()
        if "nvidia.com/gpu" in pod.container["resources"]["limits"]
    }
    with_image = {name for name, pod in pods(largest).items() if "worker-gpu" in pod.container["image"]}

    assert with_gpu == with_image == {"worker-stt-gpu", "worker-tts-gpu"}
    for name in with_gpu:
        spec = pods(largest)[name].spec
        assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in spec["tolerations"]
        assert "requiredDuringSchedulingIgnoredDuringExecution" in spec["affinity"]["nodeAffinity"]


def test_labels_say_what_each_pod_is(overlay):
    deployments = of_kind(overlay, "Deployment")
    for pod in pods(overlay).values():
        assert pod.labels["app.kubernetes.io/name"] == "interview-platform"
        assert pod.labels["app.kubernetes.io/component"] == pod.owner
        assert pod.labels["role"] in ("web", "worker", "cron", "manage")
        if pod.kind == "Deployment":
            selector = deployments[pod.owner]["spec"]["selector"]["matchLabels"]
            assert selector == {"app.kubernetes.io/component": pod.owner}


def test_memory_has_room_above_what_was_measured(largest):
    unmeasured = {"worker-stt-gpu", "worker-tts-gpu", "migrate", "sessions", "audit-expiry"}
    assert set(pods(largest)) == {*MEASURED_MB, *unmeasured}
    for name, measured_mb in MEASURED_MB.items():
        resources = pods(largest)[name].container["resources"]
        limit_mib = in_mib(resources["limits"]["memory"])
        assert limit_mib >= 1.5 * measured_mb, name
        assert limit_mib >= in_mib(resources["requests"]["memory"])


def test_recognition_requests_a_core_for_each_window(largest):
    slots = settings(largest)["STT_SLOTS"]
    for name in ("worker-stt", "worker-stt-later", "worker-stt-batch"):
        assert pods(largest)[name].container["resources"]["requests"]["cpu"] == slots


@pytest.mark.parametrize(("pool", "models"), [("worker-stt-gpu", "large-v3"), ("worker-stt", "base")])
def test_pool_fetches_the_model_that_it_uses(largest, pool, models):
    pod = pods(largest)[pool]
    fetching = next(each for each in pod.spec["initContainers"] if each["name"] == "models")
    for container in (fetching, pod.container):
        own = {variable["name"]: variable["value"] for variable in container.get("env", ())}
        assert (settings(largest) | own)["WHISPER_MODEL"] == models


def test_web_lists_the_voices_that_can_be_chosen(overlay):
    """Without the files of a voice, the pod that chooses one passes it over."""
    for name in ("web", "worker-default", "worker-brain", "worker-brain-later", "worker-tts"):
        pod = pods(overlay)[name]
        assert {"name": "models", "mountPath": "/models", "readOnly": True} in pod.container["volumeMounts"]


def test_models_can_lie_in_one_volume(with_claim):
    for name, pod in pods(with_claim).items():
        volumes = {volume["name"]: volume for volume in pod.spec["volumes"]}
        assert "models" not in {each["name"] for each in pod.spec.get("initContainers", ())}, name
        if name == "models":
            assert volumes["models"]["persistentVolumeClaim"] == {"claimName": "models"}
        elif "models" in volumes:
            assert volumes["models"]["persistentVolumeClaim"] == {"claimName": "models", "readOnly": True}


def test_object_storage_is_copied_by_the_script_and_at_the_times_of_the_hosts(every_overlay):
    manifests = every_overlay["backups"]
    pod = pods(manifests)["backup-objects"]
    crontab = (ROOT / "deploy" / "backups" / "crontab.example").read_text()
    (line,) = (line for line in crontab.splitlines() if "backup.sh objects" in line)

    check_restricted(pod)
    both = "bash /scripts/backup.sh objects && bash /scripts/backup.sh keys"
    assert pod.container["command"] == ["bash", "-c", both]
    assert re.findall(r"backup.sh (\w+)", line) == re.findall(r"backup.sh (\w+)", both)
    assert of_kind(manifests, "CronJob")["backup-objects"]["spec"]["schedule"] == " ".join(line.split()[:5])
