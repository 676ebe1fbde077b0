"""The hub client, against a small local server."""

import socket
import time

import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from tests.files_server import files_served
from tests.standins import build_piper_voice
from voice.engines.hub import cached_or_fetched, check_hub, fetch_file
from voice.engines.stt.faster_whisper import FasterWhisper
from voice.engines.tts.piper import Piper, fetch_voice
from voice.errors import EngineUnavailable


@pytest.fixture(autouse=True)
def is_online(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub that serves the returned directory."""
    directory = tmp_path / "hub"
    directory.mkdir()

    with files_served(directory) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield directory


@pytest.fixture
def mute_hub(monkeypatch):
    """A hub that accepts connections but never responds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        yield


@pytest.fixture
def no_hub(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")


def test_a_hub_that_answers_is_reached(hub):
    check_hub(5)


def test_a_hub_that_refuses_is_reached_too(hub):
    (hub / "index.html").mkdir()  # the server responds with an error

    check_hub(5)


def test_a_missing_hub_is_named_at_once(no_hub):
    with pytest.raises(EngineUnavailable, match=r"127\.0\.0\.1.*HF_ENDPOINT"):
        check_hub(5)


def test_a_mute_hub_is_given_up_in_time(mute_hub):
    began = time.monotonic()

    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        check_hub(0.2)

    assert time.monotonic() - began < 5  # the preflight's limit with a margin; the test is that it ends


def test_offline_mode_asks_nobody(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    with pytest.raises(EngineUnavailable, match="HF_HUB_OFFLINE"):
        check_hub(5)


def test_a_file_is_fetched_with_progress(hub, tmp_path):
    (hub / "weights").write_bytes(bytes(600_000))
    reports = []

    fetch_file(
        "weights", tmp_path / "to" / "weights", timeout_s=5, progress=lambda *args: reports.append(args)
    )

    assert (tmp_path / "to" / "weights").stat().st_size == 600_000
    assert reports[-1] == (600_000, 600_000)
    assert len(reports) > 1


def test_a_missing_file_leaves_nothing_behind(hub, tmp_path):
    with pytest.raises(EngineUnavailable, match="404"):
        fetch_file("nothing", tmp_path / "to" / "weights", timeout_s=5)

    assert list((tmp_path / "to").iterdir()) == []


def test_a_piper_voice_is_fetched_and_speaks(hub, tmp_path):
    build_piper_voice(hub / "rhasspy/piper-voices/resolve/main/de/de_DE/anna/low", "de_DE-anna-low", "de_DE")

    fetch_voice("de_DE-anna-low", tmp_path / "voices")

    assert [voice.id for voice in Piper(tmp_path / "voices").voices()] == ["piper:de_DE-anna-low"]


def test_a_voice_that_is_there_is_not_fetched_again(no_hub, tmp_path):
    model = build_piper_voice(tmp_path, "de_DE-anna-low", "de_DE")

    assert fetch_voice("de_DE-anna-low", tmp_path) == model


@pytest.mark.parametrize("name", ["anna", "../../x", "de_DE-anna-loud", "de_DE-../x-low"])
def test_what_is_no_name_of_a_voice_is_refused(name, tmp_path):
    with pytest.raises(EngineUnavailable, match="names look like"):
        fetch_voice(name, tmp_path)


@pytest.mark.parametrize("name", ["base", "someone/some-whisper"])
def test_whisper_without_a_hub_says_what_to_do(no_hub, name, tmp_path):
    engine = FasterWhisper(name, models_dir=str(tmp_path), hub_timeout_s=2)

    with pytest.raises(EngineUnavailable, match=r"cannot be reached.*local model directory"):
        engine.load()


def cached_nowhere(answer):
    def fetch(is_local_only):
        if is_local_only:
            raise LocalEntryNotFoundError("not in the cache")
        return answer()

    return fetch


def test_what_is_in_the_cache_is_taken_without_a_hub(no_hub):
    assert (
        cached_or_fetched(lambda is_local_only: f"cache {is_local_only}", name="M", timeout_s=1)
        == "cache True"
    )


def test_what_is_not_in_the_cache_is_fetched(hub):
    assert cached_or_fetched(cached_nowhere(lambda: "fetched"), name="M", timeout_s=5) == "fetched"


def test_a_transfer_that_breaks_off_says_what_to_do(hub):
    def break_off():
        raise ConnectionResetError("reset by peer")

    with pytest.raises(EngineUnavailable, match=r"M could not be downloaded.*reset by peer"):
        cached_or_fetched(cached_nowhere(break_off), name="M", timeout_s=5)
