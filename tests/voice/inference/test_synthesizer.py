"""The chain of synthesis engines, and the download of their files."""

import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from tests.standins import build_piper_voice
from voice.engines import downloads, hub
from voice.engines.base import SteadyEngine, matching_voice
from voice.engines.registry import EngineConfig, recognition_engines, synthesis_engines
from voice.errors import EngineUnavailable, LanguageUnsupported, SynthesisFailed
from voice.inference.synthesizer import Synthesizer
from voice.management.commands import fetch_models
from voice.types import SpeechChunk, Voice

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.usefixtures("clean_redis")  # for the engines' breakers


class Scripted(SteadyEngine):
    """An engine that does as it is told; what real ones do is for the contract suite."""

    model, device = "none", "cpu"

    def __init__(self, name, *languages, quality="neural", load_error=None, error=None):
        self.name, self.load_error, self.error = name, load_error, error
        self._voices = tuple(
            Voice(f"{name}:{language}", language, language, name, quality, 22_050) for language in languages
        )

    def load(self):
        if self.load_error:
            raise EngineUnavailable(self.load_error)

    def voices(self):
        return self._voices

    def synthesize(self, text, *, voice, language, speed=1.0):
        matching_voice(self._voices, voice=voice, language=language)
        if self.error:
            raise self.error
        for sentence in text.split(". "):
            yield SpeechChunk(np.ones(len(sentence), np.float32), 22_050, sentence)


def test_sentences_are_joined():
    result = Synthesizer([Scripted("a", "en-US")]).synthesize("One. Two", voice=None, language="en")

    assert result.samples.dtype == np.float32
    assert len(result.samples) == len("One") + len("Two")
    assert (result.engine, result.voice, result.sample_rate_hz) == ("a", "a:en-US", 22_050)
    assert not result.is_last_resort


def test_chosen_voice_comes_before_the_order_of_engines():
    synthesizer = Synthesizer([Scripted("a", "en-US"), Scripted("b", "en-US", "en-GB")])

    assert synthesizer.synthesize("Hi", voice="b:en-GB", language="en").voice == "b:en-GB"


def test_voice_that_is_no_more_is_replaced_by_one_of_its_language():
    synthesizer = Synthesizer([Scripted("a", "en-US"), Scripted("b", "de-DE")])

    assert synthesizer.synthesize("Hallo", voice="a:de-DE-gone", language="de").voice == "b:de-DE"


@pytest.mark.parametrize(
    "broken",
    [
        {"load_error": "no voice"},
        {"error": EngineUnavailable("no device")},
        {"error": SynthesisFailed("too long")},
    ],
)
def test_next_engine_speaks_when_one_cannot(broken):
    fallback = Scripted("b", "en", quality="last_resort")
    synthesizer = Synthesizer([Scripted("a", "en", **broken), fallback])

    result = synthesizer.synthesize("Hi", voice="a:en", language="en")

    assert (result.engine, result.voice, result.is_last_resort) == ("b", "b:en", True)


def test_text_that_failed_is_told_before_an_engine_that_is_missing():
    engines = [Scripted("a", load_error="no voice"), Scripted("b", "en", error=SynthesisFailed("too long"))]

    with pytest.raises(SynthesisFailed, match="too long"):
        Synthesizer(engines).synthesize("Hi", voice=None, language="en")


def test_missing_engine_is_told_before_a_language_nobody_speaks():
    engines = [Scripted("a", load_error="no voice"), Scripted("b", "de")]

    with pytest.raises(EngineUnavailable, match="a: no voice"):
        Synthesizer(engines).synthesize("Hi", voice=None, language="en")
    with pytest.raises(LanguageUnsupported, match="PIPER_VOICES"):
        Synthesizer(engines[1:]).synthesize("Hi", voice=None, language="en")


def test_voices_of_all_engines_can_be_chosen():
    synthesizer = Synthesizer([Scripted("a", "en"), Scripted("b", "en", "de")])

    assert [voice.id for voice in synthesizer.voices()] == ["a:en", "b:en", "b:de"]


def test_without_a_voice_espeak_speaks_and_says_so(tmp_path):
    config = EngineConfig(piper_voices_dir=str(tmp_path), tts_engines=("piper", "espeak"))
    synthesizer = Synthesizer(synthesis_engines(config))
    synthesizer.load()

    result = synthesizer.synthesize("Guten Tag.", voice=None, language="de")

    assert (result.engine, result.is_last_resort) == ("espeak", True)
    assert len(result.samples) > result.sample_rate_hz / 4
    assert [report.state for report in synthesizer.reports()] == ["unavailable", "ready"]


def test_with_a_voice_piper_speaks(piper_voices):
    synthesizer = Synthesizer(synthesis_engines(EngineConfig(piper_voices_dir=str(piper_voices))))
    synthesizer.load()

    result = synthesizer.synthesize("Good morning.", voice=None, language="en")

    assert (result.engine, result.is_last_resort) == ("piper", False)
    assert synthesizer.reports()[0].state == "ready"


# Fetching models


@pytest.fixture
def configured(settings, tmp_path):
    """Start without downloads; `configured(...)` changes keys of settings.VOICE."""

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
    for name in downloads.WHISPER_FILES:
        (snapshot / name).touch()
    (directory / repository / "refs").mkdir()
    (directory / repository / "refs" / "main").write_text("abc")


def put_voices(directory: Path, *names: str) -> None:
    directory.mkdir(exist_ok=True)
    for name in names:
        (directory / f"{name}.onnx").touch()
        (directory / f"{name}.onnx.json").touch()


def test_fetch_says_in_one_line_that_the_hub_is_not_reached(configured, monkeypatch, capsys):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port
    started = time.monotonic()

    call_command("fetch_models")

    assert time.monotonic() - started < 2
    (line,) = capsys.readouterr().out.splitlines()
    assert line == fetch_models.NOT_REACHABLE.format(
        "Whisper base, Piper voice en_US-lessac-medium, Piper voice de_DE-thorsten-medium"
    )


def test_model_in_a_directory_is_not_said_to_be_missing(configured, tmp_path, settings, monkeypatch, capsys):
    (tmp_path / "own").mkdir()
    settings.VOICE = settings.VOICE | {"WHISPER_MODEL": str(tmp_path / "own")}
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port

    call_command("fetch_models")

    assert "Whisper" not in capsys.readouterr().out


def test_fetch_is_silent_when_everything_is_here(configured, tmp_path, monkeypatch, capsys):
    put_whisper(tmp_path)
    put_voices(tmp_path / "piper", "en_US-lessac-medium", "de_DE-thorsten-medium")
    monkeypatch.setattr(hub, "check_hub", lambda timeout_s: pytest.fail("asked the hub"))

    call_command("fetch_models")

    assert capsys.readouterr().out == ""


def test_fetch_asks_only_for_what_is_missing(configured, tmp_path, monkeypatch, capsys):
    put_whisper(tmp_path)
    put_voices(tmp_path / "piper", "en_US-lessac-medium")
    fetched = []
    monkeypatch.setattr(hub, "check_hub", lambda timeout_s: None)
    monkeypatch.setattr(
        "voice.engines.tts.piper.fetch_voice", lambda name, *args, **options: fetched.append(name)
    )

    call_command("fetch_models")

    assert fetched == ["de_DE-thorsten-medium"]
    assert capsys.readouterr().out.splitlines()[-1] == "Piper voice de_DE-thorsten-medium is here."


def test_fetch_goes_on_after_a_voice_that_does_not_exist(configured, tmp_path, monkeypatch, capsys):
    put_whisper(tmp_path)

    def fetch_voice(name, directory, **options):
        raise EngineUnavailable("no such voice")

    monkeypatch.setattr(hub, "check_hub", lambda timeout_s: None)
    monkeypatch.setattr("voice.engines.tts.piper.fetch_voice", fetch_voice)

    call_command("fetch_models")

    assert capsys.readouterr().out.count("could not be fetched: no such voice") == 2


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
    assert "Piper voice xx_XX-nobody-low could not be fetched" in run.stdout
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

    assert {size: downloads.whisper_repository(size) for size in _MODELS} == _MODELS
    assert downloads.whisper_repository("someone/model") == "someone/model"


def test_progress_is_told_now_and_then(monkeypatch):
    lines = []
    monkeypatch.setattr(fetch_models, "PROGRESS_EVERY_S", 0)
    progress = fetch_models.Progress(lines.append)

    progress(1_500_000, 3_000_000)
    progress(2_000_000, None)

    assert lines == ["  1.5 MB (50 %)", "  2.0 MB"]
