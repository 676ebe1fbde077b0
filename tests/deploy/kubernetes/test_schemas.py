"""Every manifest fits its schema, strictly: a field that a server would silently drop is an error here."""

import copy
import json
import subprocess
from pathlib import Path

import jsonschema_rs
import pytest

from tests.deploy.kubernetes.manifests import TOOLS, of_kind

SCHEMAS = Path(__file__).parent / "schemas"
OLDEST, NEWEST = "1.30", "1.37"  # `preStop: sleep` needs 1.30


def custom_schema(manifest):
    """The schema of a custom resource; None for one of Kubernetes' own."""
    kind, version = manifest["kind"].lower(), manifest["apiVersion"].rpartition("/")[2]
    file = SCHEMAS / f"{kind}_{version}.json"
    if not file.exists():
        return None
    return jsonschema_rs.validator_for(json.loads(file.read_text()) | {"additionalProperties": False})


def problems(manifests):
    """A line for each field of a custom resource that is wrong."""
    return [
        f"{manifest['kind']} {manifest['metadata']['name']}: {error.message}"
        for manifest in manifests
        if (schema := custom_schema(manifest))
        for error in schema.iter_errors(manifest)
    ]


def core_problems(manifests, version):
    if not (TOOLS / "python").exists():
        pytest.skip("kubernetes-validate is missing (.venv-tools)")
    core = [each for each in manifests if not custom_schema(each)]
    done = subprocess.run(
        [str(TOOLS / "python"), str(Path(__file__).with_name("core_schemas.py")), version],
        input=json.dumps(core),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def different(every_overlay):
    """The manifests of all overlays, without those that an overlay has as another has them."""
    return [*{json.dumps(each): each for manifests in every_overlay.values() for each in manifests}.values()]


def test_custom_resources_fit_their_schemas(every_overlay):
    manifests = different(every_overlay)

    assert {each["kind"] for each in manifests if custom_schema(each)} == {
        *("Gateway", "HTTPRoute", "PodMonitor", "ScaledObject", "TriggerAuthentication")
    }
    assert problems(manifests) == []


@pytest.mark.parametrize("version", [OLDEST, pytest.param(NEWEST, marks=pytest.mark.proof)])
def test_kubernetes_own_objects_fit_their_schemas(every_overlay, version):
    assert core_problems(different(every_overlay), version) == []


@pytest.mark.parametrize(
    ("kind", "path", "field", "misspelt"),
    [
        ("ScaledObject", ["spec"], "cooldownPeriod", "coolDownPeriod"),
        ("ScaledObject", ["spec", "triggers", 0], "authenticationRef", "authentificationRef"),
        ("TriggerAuthentication", ["spec"], "secretTargetRef", "secretTargetRefs"),
        ("Gateway", ["spec", "listeners", 0], "hostname", "hostName"),
        ("HTTPRoute", ["spec"], "hostnames", "hostNames"),
        ("PodMonitor", [], "spec", "spek"),
    ],
)
def test_misspelt_field_of_a_custom_resource_fails(largest, kind, path, field, misspelt):
    wrong, holder = holding(largest, kind, path, field)
    holder[misspelt] = holder.pop(field)

    assert any(misspelt in problem for problem in problems([wrong]))


@pytest.mark.parametrize(
    ("kind", "path", "field", "misspelt"),
    [
        ("Deployment", ["spec", "template", "spec", "containers", 0], "readinessProbe", "readynessProbe"),
        ("NetworkPolicy", ["spec"], "policyTypes", "policyType"),
        ("PodDisruptionBudget", ["spec"], "maxUnavailable", "maxUnavailible"),
    ],
)
def test_misspelt_field_of_kubernetes_own_fails(largest, kind, path, field, misspelt):
    wrong, holder = holding(largest, kind, path, field)
    holder[misspelt] = holder.pop(field)

    assert any(misspelt in problem for problem in core_problems([wrong], NEWEST))


def holding(manifests, kind, path, field):
    """A copy of the first manifest of the kind that has the field, and its part that holds the field."""
    for manifest in copy.deepcopy([*of_kind(manifests, kind).values()]):
        holder = manifest
        for step in path:
            holder = holder[step]
        if field in holder:
            return manifest, holder
    raise LookupError(f"no {kind} has {field}")
