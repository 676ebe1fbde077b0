"""OpenAI's audio API (`/v1/…`), so that its clients and compatible ones work with this service.

Models and voices: every model name is accepted, because the engine is chosen here. A voice is one of our ids,
or one of OpenAI's names, which all stand for the default voice of the language. `language` may be given for
speech too. Parameters that our engines do not support (`temperature`, `instructions`, `include`, …) are
accepted and have no effect.

Source: https://platform.openai.com/docs/api-reference/audio
"""

import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Annotated, Any, Final, Literal

from django.conf import settings
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Field, File, Form, Router, Schema
from ninja import UploadedFile as NinjaFile

from voice.callers import Caller
from voice.errors import RequestRefused, VoiceError
from voice.queues.calls import Call, Part
from voice.service import synthesis, transcription
from voice.service.requests import FORMATS, SpeechRequest, TranscriptionRequest
from voice.text import transcripts
from voice.web import http_errors, intake, responses
from voice.web.intake import VoiceHttpRequest
from voice.web.schemas import AUDIO, TEXT_TYPES

DEFAULT_VOICES: Final = frozenset(
    (
        *("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin"),
        *("nova", "onyx", "sage", "shimmer", "verse"),
    )
)
MODEL_ALIASES: Final = {
    "STT_ENGINES": ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize"),
    "TTS_ENGINES": ("tts-1", "tts-1-hd", "gpt-4o-mini-tts"),
}
TRANSCRIPT_FORMATS: Final = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
TYPES: Final = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
CODES: Final = {401: "invalid_api_key", 429: "rate_limit_exceeded"}
EVENTS: Final = "text/event-stream"

Event = dict[str, Any]

router = Router(tags=["OpenAI's audio API"])
router.add_decorator(intake.with_allowance, mode="view")


def error(status: int, code: str, detail: str, field: str) -> HttpResponse:
    """Return an error in OpenAI's form; there, an unusable value is a bad request."""
    status = 400 if status == 422 else status
    return JsonResponse({"error": _error_fields(status, code, detail, field)}, status=status)


def _error_fields(status: int, code: str, detail: str, field: str) -> dict[str, Any]:
    kind = TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request_error")
    return {"message": detail, "type": kind, "param": field or None, "code": CODES.get(status, code)}


class OpenAIErrorOut(Schema):
    class Fields(Schema):
        message: str
        type: str
        param: str | None
        code: str

    error: Fields


ERRORS = {(400, 401, 403, 404, 405, 413, 429, 500, 503, 504): OpenAIErrorOut}


# Models


class ModelOut(Schema):
    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "interview-platform"


class ModelsOut(Schema):
    object: Literal["list"] = "list"
    data: list[ModelOut]


def _models() -> dict[str, ModelOut]:
    names = [
        name for setting, aliases in MODEL_ALIASES.items() for name in (*settings.VOICE[setting], *aliases)
    ]
    return {name: ModelOut(id=name) for name in names}


@router.get("/models", response={200: ModelsOut, **ERRORS}, summary="Models")
async def list_models(request: VoiceHttpRequest) -> ModelsOut:
    """The engines that are configured, and OpenAI's names, which stand for them."""
    return ModelsOut(data=list(_models().values()))


@router.get("/models/{path:model_id}", response={200: ModelOut, **ERRORS}, summary="One model")
async def read_model(request: VoiceHttpRequest, model_id: str) -> Any:
    return _models().get(model_id) or error(
        404, "model_not_found", f"There is no model {model_id!r}.", "model"
    )


# Speech


class VoiceId(Schema):
    id: str


class SpeechIn(Schema):
    input: str = Field(description="Plain text, at most VOICE_MAX_TEXT_CHARS characters.")
    model: str = ""
    voice: str | VoiceId = Field("", description="An id of ours, or a name of OpenAI's for the default.")
    response_format: str = Field("mp3", description=", ".join(FORMATS))
    speed: float = 1.0
    stream_format: Literal["audio", "sse"] = "audio"
    instructions: str = Field("", description="Has no effect.")
    language: str = Field("", description="Ours: the language of the default voice.")


@router.post("/audio/speech", response=ERRORS, openapi_extra=AUDIO, summary="Speak a text")
async def create_speech(request: VoiceHttpRequest, payload: SpeechIn) -> HttpResponseBase:
    """Audio, streamed from the first sentence on; with `stream_format` "sse" as events."""
    voice = payload.voice if isinstance(payload.voice, str) else payload.voice.id
    try:
        wanted = SpeechRequest.checked(
            text=payload.input,
            voice="" if voice in DEFAULT_VOICES else voice,
            language=payload.language,
            speed=payload.speed,
            format=payload.response_format,
            max_chars=settings.VOICE["MAX_TEXT_CHARS"],
        )
        if payload.stream_format == "audio":
            return await responses.speech(wanted, request.auth)
        spoken = await synthesis.synthesize(await synthesis.checked(wanted, request.auth), request.auth)
        parts = spoken.parts()
        return _events(_speech_events(await anext(parts), parts, len(wanted.text)))
    except RequestRefused as refused:
        raise _named(refused) from None


def _named(refused: RequestRefused) -> RequestRefused:
    """Return the refusal with this API's names of the fields."""
    ours, _, detail = str(refused).partition(": ")
    theirs = {"text": "input", "format": "response_format", "diarize": "response_format"}.get(ours, ours)
    return RequestRefused(theirs, detail, code=refused.code)


async def _speech_events(
    first: Part, parts: AsyncIterator[Part], chars: int
) -> AsyncIterator[dict[str, Any]]:
    async for body in responses.bodies(first, parts):
        yield {"type": "speech.audio.delta", "audio": base64.b64encode(body).decode()}
    usage = {"input_tokens": chars, "output_tokens": 0, "total_tokens": chars}
    yield {"type": "speech.audio.done", "usage": usage}


# Transcriptions


class TranscriptionIn(Schema):
    model: str = ""
    language: str = ""
    prompt: str = Field("", description="Names and terms likely to be said.")
    response_format: str = Field("json", description=", ".join(TRANSCRIPT_FORMATS))
    temperature: float = Field(0.0, description="Has no effect.")
    stream: bool = False


Granularities = Annotated[
    list[Literal["word", "segment"]],
    Form([], alias="timestamp_granularities[]", description="For verbose_json; segment if left out."),
]


@router.post(
    "/audio/transcriptions", response={200: dict, **ERRORS}, summary="Write down what is said in a file"
)
async def create_transcription(
    request: VoiceHttpRequest,
    options: Form[TranscriptionIn],
    file: File[NinjaFile],
    granularities: Granularities,
) -> Any:
    """`stream` sends `transcript.text.delta` with each stretch of speech, then `transcript.text.done`."""
    if options.response_format not in TRANSCRIPT_FORMATS:
        raise RequestRefused("response_format", f"send one of {', '.join(TRANSCRIPT_FORMATS)}.")
    wanted = TranscriptionRequest.checked(
        language=options.language,
        hot_words=options.prompt,
        is_diarized=options.response_format == "diarized_json",
    )
    try:
        transcription.check_diarization(wanted)
    except RequestRefused as refused:
        raise _named(refused) from None
    audio = await responses.audio_of(file)
    if options.stream:
        return await _streamed(wanted, audio, request.auth)
    async with transcription.transcribe(wanted, audio, request.auth) as call:
        recognition = await call.complete()
    if options.response_format in TEXT_TYPES:
        text = transcripts.as_text(recognition, options.response_format)
        return HttpResponse(text, content_type=TEXT_TYPES[options.response_format])
    return _as_json(recognition, options, granularities)


def _as_json(
    recognition: dict[str, Any], options: TranscriptionIn, granularities: Sequence[str]
) -> dict[str, Any]:
    usage = {"type": "duration", "seconds": recognition["duration"]}
    if options.response_format == "json":
        return {"text": recognition["text"], "usage": usage}
    fields = {
        "task": "transcribe",
        "duration": recognition["duration"],
        "text": recognition["text"],
        "usage": usage,
    }
    if options.response_format == "diarized_json":
        return fields | {"segments": [_speaker_fields(n, s) for n, s in enumerate(recognition["segments"])]}
    fields["language"] = recognition["language"]
    if "segment" in granularities or not granularities:
        fields["segments"] = [_segment_fields(number, s) for number, s in enumerate(recognition["segments"])]
    if "word" in granularities:
        fields["words"] = [
            {name: word[name] for name in ("word", "start", "end")}
            for segment in recognition["segments"]
            for word in segment["words"]
        ]
    return fields


def _segment_fields(number: int, segment: dict[str, Any]) -> dict[str, Any]:
    known = {name: segment[name] for name in ("text", "start", "end", "avg_logprob", "no_speech_prob")}
    # Clients expect these; the engine's tokens are internal.
    unknown = {"seek": 0, "tokens": [], "temperature": 0.0, "compression_ratio": 1.0}
    return {"id": number, **known, **unknown}


def _speaker_fields(number: int, segment: dict[str, Any]) -> dict[str, Any]:
    known = {name: segment[name] for name in ("text", "start", "end", "speaker")}
    return {"type": "transcript.text.segment", "id": f"seg_{number:03}", **known}


async def _streamed(wanted: TranscriptionRequest, audio: bytes, caller: Caller) -> HttpResponseBase:
    """Return events as segments become final. A failure before the first is an ordinary error."""
    async with AsyncExitStack() as leaving:
        call = await leaving.enter_async_context(transcription.transcribe(wanted, audio, caller))
        parts = call.parts()
        first = await anext(parts, None)
        kept = leaving.pop_all()
    return _events(_transcript_events(call, first, parts, kept))


async def _transcript_events(
    call: Call, first: Part | None, parts: AsyncIterator[Part], leaving: AsyncExitStack
) -> AsyncIterator[Event]:
    async with leaving:
        is_first = True
        if first:
            yield _delta(first, is_first=True)
            is_first = False
        async for part in parts:
            yield _delta(part, is_first=is_first)
            is_first = False
        yield {"type": "transcript.text.done", "text": call.result["text"]}


def _delta(part: Part, *, is_first: bool) -> Event:
    text = " ".join(segment["text"].strip() for segment in part.meta["segments"])
    return {"type": "transcript.text.delta", "delta": text if is_first or not text else f" {text}"}


def _events(events: AsyncIterator[Event]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_encoded(events), content_type=EVENTS)
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # nginx passes each event on at once
    return response


async def _encoded(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    """Yield server-sent events; a failure after the first is one more event, which OpenAI's clients raise."""
    try:
        async for event in events:
            yield f"data: {json.dumps(event)}\n\n".encode()
    except VoiceError as failure:
        fields = _error_fields(
            http_errors.status_of(failure), failure.code, str(failure), http_errors.field_of(failure)
        )
        yield f"data: {json.dumps({'error': fields})}\n\n".encode()
