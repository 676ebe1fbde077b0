"""Download of voices by name."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.files_server import files_served
from tests.standins import build_piper_voice
from voice.engines.tts.piper import Piper
from voice.management.commands import fetch_models


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub with one voice of two speakers. Returns the download directory."""
    name = "en_US-choir-medium"
    build_piper_voice(
        tmp_path / "hub/rhasspy/piper-voices/resolve/main/en/en_US/choir/medium",
        name,
        speakers=("zoe", "adam"),
    )

    with files_served(tmp_path / "hub") as address:
        monkeypatch.delenv("HF_HUB_OFFLINE")
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield tmp_path / "voices"


@pytest.fixture(autouse=True)
def voices_dir(settings, tmp_path):
    settings.VOICE = settings.VOICE | {"PIPER_VOICES_DIR": tmp_path / "voices", "MODELS_DIR": tmp_path}


class Terminal(StringIO):
    def isatty(self):
        return True


def test_a_voice_is_fetched_by_name_with_a_bar(hub):
    terminal = Terminal()

    call_command("fetch_models", "en_US-choir-medium", stdout=terminal)

    assert [voice.speakers for voice in Piper(hub).voices()] == [("zoe", "adam")]
    assert "\r  [##############################] 100%  0.0 of 0.0 MB\n" in terminal.getvalue()
    assert terminal.getvalue().endswith("Piper voice en_US-choir-medium is here.\n")


def test_without_a_terminal_nothing_is_drawn(hub):
    log = StringIO()

    call_command("fetch_models", "en_US-choir-medium", stdout=log)

    assert log.getvalue().splitlines() == [
        "Fetching Piper voice en_US-choir-medium from the model hub ...",
        "Piper voice en_US-choir-medium is here.",
    ]


def test_what_cannot_be_fetched_is_named_and_the_rest_is_fetched(hub):
    with pytest.raises(CommandError, match=r"^Not fetched: en_US-nobody-low, anna\.$"):
        call_command("fetch_models", "en_US-nobody-low", "anna", "en_US-choir-medium", stdout=StringIO())

    assert len(Piper(hub).voices()) == 1


def test_a_bar_grows_and_ends_its_line_once(monkeypatch):
    drawn = []
    monkeypatch.setattr(fetch_models, "BAR_EVERY_S", 0)
    bar = fetch_models.ProgressBar(drawn.append)

    bar(15_000_000, 60_000_000)
    bar(60_000_000, 60_000_000)
    bar(1_000_000, None)

    assert drawn == [
        "\r  [#######                       ]  25%  15.0 of 60.0 MB",
        "\r  [##############################] 100%  60.0 of 60.0 MB\n",
        "\r  1.0 MB",
    ]


def test_a_bar_is_not_drawn_for_every_block(monkeypatch):
    drawn = []
    monkeypatch.setattr(fetch_models, "BAR_EVERY_S", 1000)
    bar = fetch_models.ProgressBar(drawn.append)

    for done in range(1, 100):
        bar(done, 100)

    assert len(drawn) == 1
