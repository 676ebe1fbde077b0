"""Pods of the rendered manifests hold an interview: restricted, with their limits, on stores beside them."""

import contextlib
import hashlib
import json
import os
import secrets
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import boto3
import httpx
import pytest

from interview_platform.demo import embedded
from interview_platform.demo.processes import end_with_parent
from tests.candidate import take_interview
from tests.deploy.docker.images import OURS, wheelhouse
from tests.deploy.engine import wheels_served
from tests.deploy.kubernetes.manifests import ROOT
from tests.deploy.kubernetes.podman import BASE, playable, podman
from tests.faults.network import here
from tests.speech import spoken
from voice.audio.pcm import s16le_from_samples

URL = "http://127.0.0.1:8000"
PORTS = {"web": 8000, "cron": 9191, "worker-stt": 8011, "worker-tts": 8012, "worker-default": 8013}
SAID = ("I built a small service that reads invoices.", "It found mistakes.", "I would ask people first.")
WITHIN_S = 300

pytestmark = [pytest.mark.proof, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def machine():
    """A podman with the images of this tree; they are kept in PODMAN_DIR."""
    if not (ROOT / "deploy" / "docker" / "Dockerfile").exists():
        pytest.skip("there is no deploy/docker/Dockerfile")
    directory = Path(os.environ.get("PODMAN_DIR") or ROOT / "var" / "podman")
    with podman(directory, f"kubernetes-{os.getpid()}") as made:
        if not made.has(BASE):
            made.import_base()
        wanting = [target for target in OURS if not made.has(f"localhost/interview-platform/{target}:0.1.0")]
        if wanting:
            build(made, wanting)
        yield made


def build(machine, targets):
    wheels = wheelhouse(machine.directory / "wheels", ROOT / "deploy/docker/worker-cpu.lock")
    with wheels_served(here, wheels, embedded.free_port()) as address:
        for target in targets:
            machine.build(target, PIP_FIND_LINKS=address, PIP_NO_INDEX="1")


@pytest.fixture(scope="module")
def stores(machine, tmp_path_factory):
    """PostgreSQL, Redis and S3 in the namespace of the pods, and the settings that name them."""
    directory = tmp_path_factory.mktemp("stores")
    mood = directory / "mood"
    mood.write_text("well")
    with machine.host.entered(), contextlib.ExitStack() as closing:
        database = closing.enter_context(embedded.postgresql(directory / "postgresql", is_durable=False))
        redis = closing.enter_context(embedded.redis(directory / "redis"))
        port = embedded.free_port()
        command = [sys.executable, "-m", "tests.faults.object_storage", str(port), str(mood)]
        storage = subprocess.Popen(command, cwd=ROOT, preexec_fn=end_with_parent(9))
        closing.callback(storage.wait)
        closing.callback(storage.kill)
        make_bucket(f"http://127.0.0.1:{port}")
        yield {
            "BASE_URL": URL,
            "ALLOWED_HOSTS": "127.0.0.1",
            "BEHIND_PROXY": "false",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "TOKEN_KEYS": secrets.token_urlsafe(50),
            "DATABASE_URL": database,
            "REDIS_URL": redis,
            "S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "S3_ACCESS_KEY_ID": "test",
            "S3_SECRET_ACCESS_KEY": "test",
            "STT_ENGINES": "pocketsphinx",
            "TTS_ENGINES": "espeak",
            "METRICS_TOKEN": "",
            "METRICS_NETWORKS": "127.0.0.0/8",
        }


def make_bucket(address):
    client = boto3.client(
        "s3",
        endpoint_url=address,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="eu-central-1",
    )
    place = {"LocationConstraint": "eu-central-1"}
    until(lambda: client.create_bucket(Bucket="interviews", CreateBucketConfiguration=place))


def until(succeeds):
    """Return once the call returns something, whatever it raises before."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        try:
            if found := succeeds():
                return found
        except Exception:
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline
        time.sleep(0.5)


@pytest.fixture(scope="module")
def facts(machine, stores, every_overlay):
    """The demo's organisation, made in a pod; all pods are ready."""
    manifests, began = every_overlay["cpu"], time.monotonic()
    machine.play(playable(manifests, "migrate", stores))
    assert machine("wait", "migrate-migrate").strip() == "0"
    for name, port in PORTS.items():
        machine.play(playable(manifests, name, stores | {"WORKER_PORT": str(port)}))
    try:
        with machine.host.entered():
            for name in PORTS:
                until(partial(is_up, name))
    except Exception:
        print(machine.log())
        raise
    print(f"\nready after {time.monotonic() - began:.0f} s")
    made = "python manage.py load_demo --base-url {} --write /tmp/demo.json >&2 && cat /tmp/demo.json"
    return json.loads(machine("exec", "web-web", "sh", "-c", made.format(URL)))


def is_up(name):
    page = "health" if name == "cron" else "ready"
    return httpx.get(f"http://127.0.0.1:{PORTS[name]}/{page}", timeout=10).status_code == 200


async def test_pods_hold_an_interview(machine, facts):
    said = [s16le_from_samples(spoken(sentence, pause_s=1.0)) for sentence in SAID]
    headers = {"Authorization": f"Bearer {facts['api_key']}"}
    with machine.host.entered():
        async with httpx.AsyncClient(base_url=f"{URL}/api/v1", headers=headers, timeout=120) as api:
            interview = facts["interviews"]["en"]
            candidate = {"candidate_name": "Ada Example"}
            invitation = (await api.post(f"/interviews/{interview}/invitations", json=candidate)).json()
            await take_interview(invitation["url"], said)

            progress = (await api.get(f"/invitations/{invitation['id']}")).json()
            assert (progress["status"], progress["answered"]) == ("finished", 3)
            answers = (await api.get(f"/sessions/{progress['session_id']}/answers")).json()["items"]
            for pcm, answer in zip(said, answers, strict=True):
                recording = (await api.get(f"/answers/{answer['id']}/recording")).json()
                transcript = (await api.get(f"/answers/{answer['id']}/transcript")).json()
                assert recording["sha256"] == hashlib.sha256(pcm).hexdigest()
                assert transcript["status"] == "done"
                assert transcript["text"]


def test_clock_has_its_jobs_done(machine, facts):
    address = f"http://127.0.0.1:{PORTS['worker-default']}/metrics"
    with machine.host.entered():
        until(lambda: 'queue="cron"' in httpx.get(address, timeout=10).text)


def test_containers_run_as_the_manifests_say(machine, facts):
    for name in ("web-web", "worker-stt-worker", "cron-cron"):
        assert machine("exec", name, "id", "-u").strip() == "10001"
        (container,) = json.loads(machine("inspect", name))
        assert container["HostConfig"]["ReadonlyRootfs"]
        assert container["HostConfig"]["Memory"] > 0
        assert not container["EffectiveCaps"]
        with pytest.raises(RuntimeError, match="Read-only file system"):
            machine("exec", name, "touch", "/app/new")


def test_memory_stays_below_the_limits(machine, facts):
    shown = machine("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}} {{.MemPerc}}")
    print(f"\n{shown}")

    used = {line.split()[0]: float(line.split()[-1].rstrip("%")) for line in shown.splitlines()}
    assert all(
        used[name] < 67 for name in ("web-web", "worker-stt-worker", "worker-default-worker", "cron-cron")
    )


def test_web_pod_drains_within_its_grace(machine, facts):
    machine("pod", "stop", "--time", "30", "web")

    (container,) = json.loads(machine("inspect", "web-web"))
    assert container["State"]["ExitCode"] == 0
