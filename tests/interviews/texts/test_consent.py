import pytest

from interviews.texts import consent


@pytest.mark.parametrize(
    ("language", "own"),
    [
        ("en", "our own computers"),
        ("de", "eigenen Rechnern"),
        ("es", "propios ordenadores"),
        ("fr", "propres ordinateurs"),
    ],
)
def test_text_says_own_computers_only_where_no_vendor_gets_the_recordings(settings, language, own):
    settings.VOICE = settings.VOICE | {"STT_ENGINES": ["faster_whisper"]}
    assert own in consent.default_text(language)
    settings.VOICE = settings.VOICE | {"STT_ENGINES": ["faster_whisper", "deepgram"]}
    assert own not in consent.default_text(language)


def test_language_without_a_text_gets_the_english_one():
    assert consent.default_text("tlh") == consent.default_text("en")
