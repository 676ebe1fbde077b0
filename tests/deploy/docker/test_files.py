"""What a machine without an engine can tell of the images and of deploy/compose.yaml."""

import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from deploy.docker import self_signed
from interview_platform.demo.programs import AFTER_DRAIN_S
from interview_platform.settings.speech import QUEUE_NAMES
from tests.deploy.docker import document
from tests.deploy.engine import ROOT

DOCKER = ROOT / "deploy" / "docker"
LOCKS = ("web", "worker-cpu", "worker-gpu")
PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def pins(lock: Path) -> set[tuple[str, str]]:
    return set(PIN.findall(lock.read_text()))


def services() -> dict[str, dict]:
    return yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]


def running() -> dict[str, dict]:
    return {name: service for name, service in services().items() if service["restart"] != "no"}


@pytest.mark.parametrize("target", ["web", "worker-cpu"])
def test_lock_of_an_image_has_the_tested_versions(target):
    assert pins(DOCKER / f"{target}.lock") <= pins(ROOT / "requirements.lock")


def test_image_of_gpu_has_what_that_of_cpu_has():
    assert pins(DOCKER / "worker-cpu.lock") <= pins(DOCKER / "worker-gpu.lock")


@pytest.mark.parametrize("target", LOCKS)
def test_lock_of_an_image_has_checksums_and_names_no_index(target):
    text = (DOCKER / f"{target}.lock").read_text()
    entries = [entry for entry in text.replace("\\\n", "").splitlines() if not entry.startswith("#")]

    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?://|index-url|find-links", text)


def test_images_of_cpu_have_no_tests_and_no_gpu():
    names = {name for name, _version in pins(DOCKER / "worker-cpu.lock")}

    assert not {
        name for name in names if re.match("nvidia|torch|triton|pytest|moto|playwright|ruff|mypy", name)
    }


def test_dockerfile_needs_no_registry_for_its_syntax():
    text = (DOCKER / "Dockerfile").read_text()

    assert "syntax=" not in text  # it would fetch the parser
    assert "<<" not in text  # heredocs need a newer one


def test_stage_that_installs_names_its_arguments():
    """With Podman a stage does not inherit them."""
    stages = re.split(r"^FROM ", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE)
    installing = [stage for stage in stages[1:] if "${PIP_INSTALL}" in stage]

    assert len(installing) == len(LOCKS)
    for stage in installing:
        named = set(re.findall(r"^ARG (\w+)$", stage, re.MULTILINE))
        assert named >= {"PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_INSTALL"}


def test_log_of_postgresql_quotes_no_statement_and_no_row():
    """Of the base file, and of that with backups, whose command takes its place."""
    backups = yaml.safe_load((ROOT / "deploy" / "backups" / "compose.yaml").read_text())["services"]
    silent = {"-clog_min_error_statement=panic", "-clog_error_verbosity=terse"}

    assert silent < set(services()["postgres"]["command"])
    assert silent < set(backups["postgres"]["command"])


def test_every_package_of_the_product_goes_to_the_engine():
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY ([^-].+) \S+$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    packages = {folder.name for folder in ROOT.iterdir() if (folder / "apps.py").exists()}

    assert packages | {"interview_platform", "templates", "locale", "manage.py"} <= sent
    assert {source for line in copied for source in line.split()} <= sent


@pytest.mark.parametrize("name", services())
def test_service_has_no_rights_and_a_pinned_image(name):
    service = services()[name]

    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"\$\{\w+_IMAGE:-[\w./-]+(:[\w.-]+)?\}", service["image"])
    assert "build" in service or re.search(r":[\w.-]*\d", service["image"].partition(":-")[2])


@pytest.mark.parametrize("name", running())
def test_service_has_a_limit_of_memory(name):
    assert running()[name]["deploy"]["resources"]["limits"]["memory"]


def test_web_has_time_to_drain(settings):
    assert int(services()["web"]["stop_grace_period"].rstrip("s")) >= settings.DRAIN_S + AFTER_DRAIN_S


def test_workers_have_time_to_end_before_they_are_killed():
    """docs/configuration.md: 8 s more than their grace."""
    for name, service in services().items():
        if "voiceworker" in service.get("command", ()):
            grace_s = int(service["environment"]["WORKER_GRACE_S"])
            assert int(service["stop_grace_period"].rstrip("s")) >= grace_s + 8, name


def test_reload_of_nginx_cuts_no_interview():
    """edge.env lets old workers serve for an hour; docker ends a stop by itself."""
    assert "EDGE_DRAIN" not in services()["nginx"]["environment"]


def test_stores_of_an_operator_take_the_place_of_ours():
    assert services()["migrate"]["environment"]["DATABASE_DIRECT_URL"].startswith("${DATABASE_DIRECT_URL:-")
    stores = {"DATABASE_URL", "REDIS_URL"}
    of_storage = ("ENDPOINT_URL", "REGION", "BUCKET", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SIGNED_URLS")
    for name in stores | {f"S3_{each}" for each in of_storage}:
        assert services()["web"]["environment"][name].startswith(f"${{{name}:-"), name
    reaching = {
        name for name, service in services().items() if "DATABASE_URL" in service.get("environment", ())
    }
    assert all("outside" in services()[name]["networks"] for name in reaching)


def test_every_queue_has_a_worker_without_a_gpu():
    commands = [s["command"] for s in running().values() if "voiceworker" in s.get("command", ())]
    served = {word for command in commands for word in command}
    of_their_own = {
        "stt-ahead",
        "stt-call",
        "stt-call-partial",
        "tts-call",
    }  # whoever serves stt and tts has them

    assert set(QUEUE_NAMES) <= served | of_their_own


def test_only_the_migration_knows_the_owner_of_the_tables():
    """The application's role may change nothing of the audit."""
    told = {name for name, service in services().items() if "DATABASE_DIRECT_URL" in str(service)}
    knowing = {name for name, service in services().items() if "OWNER_PASSWORD" in str(service)}
    assert (told, knowing) == ({"migrate"}, {"migrate", "postgres"})
    assert "interviews_app:" in services()["web"]["environment"]["DATABASE_URL"]
    assert "interviews:" in services()["migrate"]["environment"]["DATABASE_DIRECT_URL"]


def test_new_env_writes_six_values_once(tmp_path):
    script = tmp_path / "new_env.sh"
    script.write_text((ROOT / "deploy" / "new_env.sh").read_text())
    command = ("sh", str(script), "interviews.example.com")

    subprocess.run(command, check=True)

    written = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines())
    wanted = re.findall(r"^(\w+)=", (ROOT / "deploy" / ".env.example").read_text(), re.MULTILINE)
    assert list(written) == wanted
    assert len(set(written.values())) == 6
    assert min(map(len, list(written.values())[1:])) == 50
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_certificate_is_for_the_site_and_its_key_private(tmp_path):
    self_signed.write("interviews.example.com", tmp_path)

    made = x509.load_pem_x509_certificate((tmp_path / "tls.crt").read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["interviews.example.com"]
    assert (tmp_path / "tls.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("answer", "status"), [(200, 0), (503, 1)])
def test_health_check_ends_with_what_health_says(answer, status):
    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, *arguments: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert health_check(server.server_port) == status


def test_health_check_without_a_server_fails():
    assert health_check(1) == 1


def health_check(port: int) -> int:
    command = [sys.executable, "-IS", str(DOCKER / "healthcheck.py"), str(port)]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_document_names_files_that_exist():
    text = document.DOCUMENT.read_text()

    for path in set(re.findall(r"deploy/[\w./-]+\.(?:sh|yaml|lock)", text)):
        assert (ROOT / path).exists(), path


def test_commands_of_a_section_without_a_reason_not_to_run_are_found():
    assert len(document.commands("The first day, on one server")) == 1
    assert document.commands("Upgrade") == []
