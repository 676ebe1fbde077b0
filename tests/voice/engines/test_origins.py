"""Where models came from: notes of what was fetched, the hub's cache, files that were put there."""

import hashlib
from dataclasses import asdict

import pytest

from tests.faults.waiting import wait_for
from voice.engines import origins
from voice.engines.origins import Note, note
from voice.engines.weights import listed

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def voice(tmp_path):
    """settings.VOICE with empty folders."""
    (tmp_path / "piper").mkdir()
    return {"WHISPER_MODEL": "base", "MODELS_DIR": tmp_path, "PIPER_VOICES_DIR": tmp_path / "piper"}


@pytest.fixture
def origin(voice):
    """A function that returns the only origin of an engine, once its checksum is known."""

    def complete(engine, model="base"):
        wait_for(lambda: origins.origins(engine, model, voice)[0].sha256, "the checksum")
        (found,) = origins.origins(engine, model, voice)
        return found

    return complete


def put_whisper(directory):
    directory.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "model.bin"):
        (directory / name).write_bytes(CONTENT)
    return directory / "model.bin"


def test_what_was_fetched_is_as_it_was_noted(voice, origin, tmp_path):
    file = tmp_path / "piper" / "en_US-joe-medium.onnx"
    file.touch()
    note(file, Note("packages: joe 1.0", "CC0", "0123"))

    expected = {
        "model": "en_US-joe-medium",
        "source": "packages: joe 1.0",
        "licence": "CC0",
        "sha256": "0123",
    }
    assert asdict(origin("piper")) == expected


def test_the_hub_is_told_by_the_layout_of_its_cache(voice, origin, tmp_path):
    repository = tmp_path / "models--Systran--faster-whisper-base"
    put_whisper(repository / "snapshots" / "abcdef")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abcdef")

    found = origin("faster_whisper")

    assert found.source == "model hub: Systran/faster-whisper-base, revision abcdef"
    assert (found.model, found.sha256) == ("Whisper base", SHA256)


def test_files_of_the_operator_are_told_by_their_folder_and_checksum(voice, origin, tmp_path):
    put_whisper(tmp_path / "own")
    voice["WHISPER_MODEL"] = str(tmp_path / "own")

    found = origin("faster_whisper", "own")

    assert (found.source, found.sha256) == (f"put there by hand: {tmp_path / 'own'}", SHA256)


def test_a_smaller_model_that_took_over_is_the_one_told(voice, origin, tmp_path):
    voice["WHISPER_MODEL"] = str(tmp_path / "large")
    put_whisper(tmp_path / "large")

    assert origins.origins("faster_whisper", "tiny", voice) == []


@pytest.mark.parametrize("engine", ["pocketsphinx", "espeak", "kokoro", "piper"])
def test_engines_without_files_of_their_own_have_no_origins(voice, engine):
    assert origins.origins(engine, "", voice) == []


def test_a_note_that_cannot_be_read_or_written_is_left_out(voice, tmp_path, origin):
    file = put_whisper(tmp_path / "whisper")
    voice["WHISPER_MODEL"] = str(tmp_path / "whisper")
    (tmp_path / "whisper" / "model.bin.origin.json").write_text("{")

    assert origin("faster_whisper", "whisper").sha256 == SHA256
    note(tmp_path / "nowhere" / file.name, Note("nobody"))


def test_kokoro_is_told_with_its_list(voice, tmp_path, origin):
    for file in listed()["kokoro"].files:
        path = tmp_path / "kokoro" / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as written:
            written.truncate(file.bytes)
    note(tmp_path / "kokoro" / "kokoro-v1.0.int8.onnx", Note("packages", "Apache-2.0", "0123"))

    assert origin("kokoro").model == listed()["kokoro"].title
