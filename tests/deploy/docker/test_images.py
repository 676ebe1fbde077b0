"""The images on an engine: who may run them, what they may write, and what is not in them."""

import json
import time

import pytest

from tests.deploy.engine import Engine

pytestmark = [pytest.mark.proof, pytest.mark.timeout(900)]

WITHOUT_RIGHTS = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
USERS = {"the image's own": "10001:0", "any": "54321:0"}
WEB_MB, WORKER_MB = 900, 1200


def run(
    engine: Engine, image: str, *command: str, user: str = "10001:0", options: tuple[str, ...] = ()
) -> str:
    """Return what a container without rights prints; it has /tmp in memory and no network."""
    limits = (*WITHOUT_RIGHTS, "--tmpfs", "/tmp", "--network", "none", "--user", user)
    return engine.docker("run", "--rm", *limits, *options, image, *command)


@pytest.mark.parametrize("user", USERS.values(), ids=USERS)
@pytest.mark.parametrize("target", ["web", "worker-cpu"])
def test_image_runs_as_any_user_and_writes_only_where_it_may(engine, our_images, target, user):
    volumes = ("--volume", "/models", "--volume", "/data/media")
    places = "/tmp /models /data/media / /app /opt/venv /home"
    try_all = f"for place in {places}; do touch $place/x 2>/dev/null && echo $place; done; true"

    written = run(engine, our_images[target], "sh", "-c", try_all, user=user, options=volumes)

    assert written.split() == ["/tmp", "/models", "/data/media"]


@pytest.mark.parametrize("target", ["web", "worker-cpu"])
def test_image_has_no_compiler_no_cuda_and_no_tests(engine, our_images, target):
    look = """
    for name in cc gcc c++ make ld; do command -v $name; done
    find / -xdev \\( -name 'libcublas*' -o -name 'libcudart*' -o -name nvidia \\) 2>/dev/null
    find /app -name 'test*.py'
    pip list --format freeze 2>/dev/null | grep -iE '^(pytest|moto|torch|nvidia)'
    true
    """
    assert run(engine, our_images[target], "sh", "-c", look).split() == []


@pytest.mark.parametrize("user", USERS.values(), ids=USERS)
def test_models_libraries_load(engine, our_images, user):
    libraries = "import av, ctranslate2, faster_whisper, numpy, onnx, onnxruntime, piper, pocketsphinx"

    run(engine, our_images["worker-cpu"], "python", "-c", libraries, user=user)


def test_web_finds_its_static_files_and_translations(engine, our_images):
    look = "ls static/staticfiles.json; ls locale/de/LC_MESSAGES/django.mo"

    assert run(engine, our_images["web"], "sh", "-c", look).split()


@pytest.mark.parametrize("user", USERS.values(), ids=USERS)
def test_web_becomes_healthy_by_its_own_check(engine, our_images, user):
    env = {"DEBUG": "true", "ALLOWED_HOSTS": "example.com"}
    given = [part for name, value in env.items() for part in ("--env", f"{name}={value}")]
    limits = (*WITHOUT_RIGHTS, "--tmpfs", "/tmp", "--user", user)
    container = engine.docker("run", "--detach", *limits, *given, our_images["web"]).strip()

    try:
        deadline = time.monotonic() + 120
        while (health := state(engine, container)["Health"]["Status"]) == "starting":
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert health == "healthy"
        engine.docker("stop", container)
        assert state(engine, container)["ExitCode"] == 0
    finally:
        engine.docker("rm", "--force", container)


def state(engine: Engine, container: str) -> dict:
    return json.loads(engine.docker("inspect", "--format", "{{json .State}}", container))


@pytest.mark.parametrize(("target", "most_mb"), [("web", WEB_MB), ("worker-cpu", WORKER_MB)])
def test_image_is_not_larger_than_the_document_says(engine, our_images, target, most_mb):
    size = int(engine.docker("image", "inspect", "--format", "{{.Size}}", our_images[target]))

    assert size < most_mb * 1e6


@pytest.mark.parametrize("target", ["web", "worker-cpu"])
def test_image_says_what_it_is(engine, our_images, target):
    told = json.loads(engine.docker("image", "inspect", "--format", "{{json .Config}}", our_images[target]))

    assert told["User"] == "10001:0"
    assert told["Healthcheck"]["Test"][:3] == ["CMD", "python", "-IS"]
    names = ("title", "description", "licenses", "version", "revision")
    assert {f"org.opencontainers.image.{name}" for name in names} <= set(told["Labels"])
