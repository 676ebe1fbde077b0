"""What OpenAI's reference promises of its audio API, asked of ours with a worker in this process."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient

from interview_platform.server import uploads
from tests.fakes import FakeRecognition, FakeSynthesis
from tests.voice.web.rest import body_of, recording, seconds_of
from voice.inference import recognizer
from voice.inference.recognizer import Recognizer
from voice.speech import voices

SPEECH = "/v1/audio/speech"
TRANSCRIPTIONS = "/v1/audio/transcriptions"
TRANSLATIONS = "/v1/audio/translations"


async def speak(api, **fields):
    body = {"model": "tts-1", "voice": "alloy", "input": "Good morning.", "response_format": "wav"} | fields
    return await api.post(SPEECH, data=json.dumps(body), content_type="application/json")


async def transcribe(api, address=TRANSCRIPTIONS, **fields):
    return await api.post(address, {"file": recording(), "model": "whisper-1", **fields})


async def test_optional_fields_of_speech_may_be_null(api, worker):
    nothing = dict.fromkeys(["instructions", "speed", "stream_format", "language", "response_format"])

    response = await speak(api, **nothing)

    assert response.status_code == 200
    assert response["Content-Type"] == "audio/mpeg"


@pytest.mark.parametrize(("speed", "share"), [(0.25, 4.0), (0.5, 2.0), (4.0, 0.25)])
async def test_speed_is_a_quarter_to_four(api, worker, speed, share):
    plain = seconds_of(await body_of(await speak(api)))

    changed = seconds_of(await body_of(await speak(api, speed=speed)))

    assert changed == pytest.approx(share * plain, rel=0.1)


async def test_other_speed_is_refused_in_their_form(api, worker):
    response = await speak(api, speed=5)

    assert response.status_code == 400
    assert response.json()["error"]["param"] == "speed"


async def test_their_voices_speak_the_language_of_the_script(api, worker, monkeypatch):
    worker.synthesis = FakeSynthesis(languages=("en-US", "ru-RU"))
    monkeypatch.setattr(voices, "known", worker.synthesis.voices)

    response = await speak(api, input="Доброе утро.")

    assert response.status_code == 200
    assert response["X-Voice"] == "fake:ru-RU"


async def test_voices_are_listed_as_other_servers_do(api, worker):
    listed = (await api.get("/v1/audio/voices")).json()["voices"]

    assert [(voice["id"], voice["name"]) for voice in listed] == [
        ("fake:en-US", "Fake en-US"),
        ("fake:de-DE", "Fake de-DE"),
    ]


async def test_making_a_voice_is_refused_in_their_form(api):
    response = await api.post("/v1/audio/voices", {"name": "anna"})

    assert response.status_code == 400
    assert "register_voice" in response.json()["error"]["message"]


@pytest.mark.parametrize("name", ["timestamp_granularities[]", "timestamp_granularities"])
async def test_words_are_given_with_and_without_brackets(api, worker, name):
    response = await transcribe(api, response_format="verbose_json", **{name: "word"})

    answer = response.json()
    assert [word["word"] for word in answer["words"]] == ["I", "led", "a", "team", "of", "five."]
    assert "segments" not in answer


class OneLanguage(FakeRecognition):
    """Hears English and cannot detect a language, as PocketSphinx."""

    def supports(self, language):
        return language is not None and super().supports(language)


async def test_language_is_assumed_where_no_engine_detects_it(api, worker, monkeypatch):
    engine = OneLanguage(languages=("en",))
    monkeypatch.setattr(recognizer, "recognizer", lambda: Recognizer([engine], assumed_language="en"))

    response = await transcribe(api, response_format="verbose_json")

    assert response.status_code == 200
    assert (response.json()["text"], response.json()["language"]) == ("I led a team of five.", "en")


class Translating(FakeRecognition):
    translates = True

    def recognize(self, samples, *, is_translated=False, **options):
        self.says = "Translated." if is_translated else "Nicht."
        return super().recognize(samples, **options)


async def test_translation_is_in_english(api, worker):
    worker.recognition = Translating()

    response = await transcribe(api, TRANSLATIONS, response_format="verbose_json")

    assert (response.json()["text"], response.json()["task"]) == ("Translated.", "translate")


async def test_translation_without_an_engine_for_it_is_refused_in_their_form(api, worker):
    response = await transcribe(api, TRANSLATIONS)

    assert response.status_code == 400
    assert "translates" in response.json()["error"]["message"]


@pytest.mark.parametrize("response_format", ["diarized_json", "yaml"])
async def test_format_that_translations_do_not_have_is_refused(api, response_format):
    response = await transcribe(api, TRANSLATIONS, response_format=response_format)

    assert response.status_code == 400
    assert response.json()["error"]["param"] == "response_format"


async def test_empty_file_is_refused_in_their_form(api):
    empty = SimpleUploadedFile("answer.wav", b"")
    response = await api.post(TRANSCRIPTIONS, {"file": empty, "model": "whisper-1"})

    assert response.status_code == 400
    assert response.json()["error"]["param"] == "file"


@pytest.mark.parametrize(("address", "key"), [(b"/v1/audio/transcriptions", "error"), (b"/api/stt", "code")])
def test_body_that_is_too_large_is_refused_in_the_form_of_its_address(address, key):
    _, _, body = uploads._too_large(25, address).partition(b"\r\n\r\n")

    assert key in json.loads(body)


@pytest.mark.parametrize(
    ("origin", "is_allowed"), [("https://app.example.com", True), ("https://x.org", False)]
)
@pytest.mark.parametrize(("address", "is_api"), [("/v1/models", True), ("/health", False)])
async def test_pages_of_named_origins_may_call_the_apis(settings, origin, is_allowed, address, is_api):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}

    response = await AsyncClient().options(address, headers=asked)

    assert (response.get("Access-Control-Allow-Origin") == origin) is (is_allowed and is_api)
    assert "Access-Control-Allow-Credentials" not in response
