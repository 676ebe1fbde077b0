"""The official `openai` client, unchanged, against the running system."""

import io
import json
import wave

import openai
import pytest

from tests import speech
from tests.conftest import STANDIN_SENTENCE
from tests.sounds import encode
from tests.voice.web.rest import seconds_of
from voice.types import RECOGNITION_RATE_HZ

pytestmark = pytest.mark.flows
TEXT = "Good morning. Tell me about your last project."


@pytest.fixture(scope="module")
def facts(stack):
    return stack.demo


@pytest.fixture
def client(stack, facts):
    with openai.OpenAI(base_url=f"{stack.url}/v1", api_key=facts["api_key"], max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def spoken():
    """A recording with speech; the stand-in transcribes any speech as its one sentence."""
    samples = speech.spoken(TEXT)
    return ("answer.wav", encode(samples, rate_hz=RECOGNITION_RATE_HZ, container="wav"))


def transcribe(client, file, **options):
    return client.audio.transcriptions.create(model="whisper-1", file=file, **options)


def test_transcription_as_json(client, spoken):
    heard = transcribe(client, spoken, language="en", prompt="Kubernetes", temperature=0.2)
    assert heard.text == STANDIN_SENTENCE
    assert heard.usage.seconds == pytest.approx(seconds_of(spoken[1]), abs=0.2)


def test_transcription_as_text(client, spoken):
    assert transcribe(client, spoken, response_format="text").strip() == STANDIN_SENTENCE


def test_transcription_as_subtitles(client, spoken):
    srt = transcribe(client, spoken, response_format="srt")
    assert srt.startswith("1\n00:00:0")
    assert transcribe(client, spoken, response_format="vtt").startswith("WEBVTT\n")


def test_transcription_with_words(client, spoken):
    options = {"response_format": "verbose_json", "language": "en"}
    heard = transcribe(client, spoken, timestamp_granularities=["word", "segment"], **options)
    assert heard.text == STANDIN_SENTENCE
    assert " ".join(word.word.strip() for word in heard.words) == STANDIN_SENTENCE
    assert heard.segments[0].start <= heard.words[0].start <= heard.words[0].end <= heard.duration
    assert heard.segments[0].text.strip() == STANDIN_SENTENCE
    only_segments = transcribe(client, spoken, **options)
    assert (only_segments.words, len(only_segments.segments)) == (None, 1)
    only_words = transcribe(client, spoken, timestamp_granularities=["word"], **options)
    assert (only_words.segments, len(only_words.words)) == (None, len(STANDIN_SENTENCE.split()))


def test_transcription_as_a_stream(client, spoken):
    events = list(transcribe(client, spoken, stream=True))
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert events[-1].type == "transcript.text.done"
    assert "".join(deltas) == events[-1].text == STANDIN_SENTENCE


def speak(client, **options):
    return client.audio.speech.create(**{"model": "tts-1", "voice": "alloy", "input": TEXT} | options)


@pytest.mark.parametrize("file_format", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
def test_speech_in_every_format(client, file_format):
    whole = seconds_of(speak(client, response_format="flac").content)
    made = speak(client, response_format=file_format).content
    assert whole > 1
    assert seconds_of(_wav(made) if file_format == "pcm" else made) == pytest.approx(whole, abs=0.1)


def _wav(pcm):
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(24_000)
        writer.writeframes(pcm)
    return file.getvalue()


def test_speech_as_a_stream(client, tmp_path):
    request = client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="nova", input=f"A stream. {TEXT}", instructions="Speak slowly."
    )
    with request as response:
        assert response.headers["content-type"] == "audio/mpeg"
        response.stream_to_file(tmp_path / "speech.mp3")
    assert seconds_of((tmp_path / "speech.mp3").read_bytes()) > 1


def test_speech_as_events(client):
    request = client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=f"Events. {TEXT}", response_format="wav", stream_format="sse"
    )
    with request as response:
        events = [json.loads(line[6:]) for line in response.iter_lines() if line]
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    assert events[-1]["type"] == "speech.audio.done"


def test_models(client):
    names = [model.id for model in client.models.list()]
    assert {"whisper-1", "tts-1", "faster_whisper", "piper"} <= set(names)
    assert client.models.retrieve("whisper-1").object == "model"
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("no/such-model")
    assert refused.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("options", "param", "said"),
    [
        ({"input": ""}, "input", "at least one word"),
        ({"input": "a" * 5001}, "input", "at most 5000"),
        ({"voice": "nobody"}, "voice", "no such voice"),
        ({"response_format": "ogg"}, "response_format", "one of wav"),
        ({"speed": 4.5}, "speed", "0.25 to 4"),
        ({"speed": "fast"}, "speed", "number"),
    ],
)
def test_bad_speech_request_is_a_bad_request(client, options, param, said):
    with pytest.raises(openai.BadRequestError) as refused:
        speak(client, **options)
    assert (refused.value.param, refused.value.type) == (param, "invalid_request_error")
    assert said in refused.value.message


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"response_format": "docx"}, "response_format"),
        ({"language": "no language"}, "language"),
        ({"file": ("a.wav", b"no audio at all")}, "file"),
        ({"file": ("a.wav", b"")}, "file"),
        ({"file": ("a.wav", b"no audio at all"), "stream": True}, "file"),
    ],
)
def test_bad_transcription_request_is_a_bad_request(client, spoken, options, param):
    with pytest.raises(openai.BadRequestError) as refused:
        transcribe(client, **{"file": spoken} | options)
    assert refused.value.param == param


def test_file_too_large_says_so(client):
    with pytest.raises(openai.APIStatusError) as refused:
        transcribe(client, ("a.wav", bytes(26 * 1024**2)))
    assert refused.value.status_code == 413


def test_wrong_key_is_an_authentication_error(client):
    with pytest.raises(openai.AuthenticationError) as refused:
        client.with_options(api_key="ipk_wrong").models.list()
    assert refused.value.code == "invalid_api_key"


def test_unknown_address_is_not_found(client):
    with pytest.raises(openai.NotFoundError):
        client.images.generate(prompt="a cat", model="dall-e-3")
