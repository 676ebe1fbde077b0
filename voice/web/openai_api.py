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

from voice.callers import READ, WRITE, Caller, tenant_of
from voice.errors import RequestRefused, VoiceError
from voice.queues.calls import Call, Part
from voice.service import synthesis, transcription
from voice.service.requests import FORMATS, SpeechRequest, TranscriptionRequest
from voice.speech import voices
from voice.text import transcripts
from voice.web import http_errors, intake, responses, scopes
from voice.web.intake import VoiceHttpRequest
from voice.web.schemas import AUDIO, TEXT_TYPES, TEXTS

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
TRANSLATION_FORMATS: Final = ("json", "text", "srt", "verbose_json", "vtt")
TYPES: Final = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
CODES: Final = {401: "invalid_api_key", 429: "rate_limit_exceeded"}
EVENTS: Final = "text/event-stream"

Event = dict[str, Any]

router = Router(tags=["OpenAI's audio API"])
router.add_decorator(intake.with_allowance, mode="view")


def error(status: int, code: str, detail: str, field: str) -> HttpResponse:
    """Return an error in OpenAI's form; there, an unusable value is a bad request."""
    status = 400 if status == 422 else status
    return JsonResponse({"error": error_fields(status, code, detail, field)}, status=status)


def error_fields(status: int, code: str, detail: str, field: str) -> dict[str, Any]:
    """Return what stands below `error`."""
    kind = TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request_error")
    return {"message": detail, "type": kind, "param": field or None, "code": CODES.get(status, code)}


class OpenAIErrorOut(Schema):
    class Fields(Schema):
        message: str
        type: str
        param: str | None
        code: str

    error: Fields


_EVENTS = {"text/event-stream": {"schema": {"type": "object"}}}
"""Of `stream` and `stream_format`: see `create_speech` and `create_transcription`."""


def _or_events(described: dict[str, Any]) -> dict[str, Any]:
    """Return a description of answers that may be events as well."""
    answer = described["responses"][200]
    return {"responses": {200: {**answer, "content": {**answer["content"], **_EVENTS}}}}


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
@scopes.needs(READ)
async def list_models(request: VoiceHttpRequest) -> ModelsOut:
    """The engines that are configured, and OpenAI's names, which stand for them."""
    return ModelsOut(data=list(_models().values()))


@router.get("/models/{path:model_id}", response={200: ModelOut, **ERRORS}, summary="One model")
@scopes.needs(READ)
async def read_model(request: VoiceHttpRequest, model_id: str) -> Any:
    return _models().get(model_id) or error(
        404, "model_not_found", f"There is no model {model_id!r}.", "model"
    )


# Voices


class VoicesOut(Schema):
    voices: list[dict[str, Any]]


@router.get("/audio/voices", response={200: VoicesOut, **ERRORS}, summary="Voices")
@scopes.needs(READ)
async def list_speech_voices(request: VoiceHttpRequest) -> VoicesOut:
    """The voices that `voice` may name: `id`, `name`, `language` and more, as other servers list theirs."""
    known = await synthesis.voices_for(request.auth)
    return VoicesOut(voices=[voices.described(voice) for voice in known])


@router.post("/audio/voices", response=ERRORS, summary="Voices are made elsewhere")
@scopes.needs(WRITE)
async def create_voice(request: VoiceHttpRequest) -> HttpResponse:
    """Refused: a voice of one's own is registered at /ws/tts."""
    detail = "Register a voice at the WebSocket /ws/tts with register_voice; its speaker must have agreed."
    return error(400, "unsupported", detail, "")


# Speech


class VoiceId(Schema):
    id: str


class SpeechIn(Schema):
    """Optional fields may be null, as some clients send what was not chosen."""

    input: str = Field(description="Text or Markdown, at most VOICE_MAX_TEXT_CHARS characters.")
    model: str | None = ""
    voice: str | VoiceId | None = Field(
        "", description="An id of ours, or a name of OpenAI's for the default of the text's language."
    )
    response_format: str | None = Field("mp3", description=", ".join(FORMATS))
    speed: float | None = 1.0
    stream_format: Literal["audio", "sse"] | None = "audio"
    instructions: str | None = Field("", description="Has no effect.")
    language: str | None = Field("", description="Ours: the language of the default voice.")


@router.post("/audio/speech", response=ERRORS, openapi_extra=_or_events(AUDIO), summary="Speak a text")
@scopes.needs(WRITE)
async def create_speech(request: VoiceHttpRequest, payload: SpeechIn) -> HttpResponseBase:
    """Audio, streamed from the first sentence on; with `stream_format` "sse" as events."""
    voice = payload.voice.id if isinstance(payload.voice, VoiceId) else payload.voice or ""
    try:
        wanted = SpeechRequest.checked(
            text=payload.input,
            voice="" if voice in DEFAULT_VOICES else voice,
            language=payload.language or "",
            speed=1.0 if payload.speed is None else payload.speed,
            format=payload.response_format or "mp3",
            max_chars=settings.VOICE["MAX_TEXT_CHARS"],
        )
        if payload.stream_format != "sse":
            return await responses.speech(wanted, request.auth)
        checked = await synthesis.checked(wanted, request.auth)
        spoken = await synthesis.synthesize(checked, tenant=tenant_of(request.auth))
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


class TranslationIn(Schema):
    model: str = ""
    prompt: str = Field("", description="Names and terms likely to be said.")
    response_format: str = Field("json", description=", ".join(TRANSLATION_FORMATS))
    temperature: float = Field(0.0, description="Has no effect.")


class TranscriptionIn(TranslationIn):
    language: str = ""
    response_format: str = Field("json", description=", ".join(TRANSCRIPT_FORMATS))
    stream: bool = False


Granularities = Annotated[
    list[Literal["word", "segment"]],
    Form([], alias="timestamp_granularities[]", description="For verbose_json; segment if left out."),
]
PlainGranularities = Annotated[
    list[Literal["word", "segment"]],
    Form([], alias="timestamp_granularities", description="The same, as clients without brackets send it."),
]


@router.post(
    "/audio/transcriptions",
    response={200: dict, **ERRORS},
    openapi_extra=_or_events(TEXTS),
    summary="Write down what is said in a file",
)
@scopes.needs(WRITE)
async def create_transcription(
    request: VoiceHttpRequest,
    options: Form[TranscriptionIn],
    file: File[NinjaFile],
    granularities: Granularities,
    plain_granularities: PlainGranularities,
) -> Any:
    """`stream` sends `transcript.text.delta` with each stretch of speech, then `transcript.text.done`."""
    _check_format(options, TRANSCRIPT_FORMATS)
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
    return await _whole(wanted, audio, request.auth, options, [*granularities, *plain_granularities])


@router.post(
    "/audio/translations",
    response={200: dict, **ERRORS},
    openapi_extra=TEXTS,
    summary="Write down in English what is said",
)
@scopes.needs(WRITE)
async def create_translation(
    request: VoiceHttpRequest, options: Form[TranslationIn], file: File[NinjaFile]
) -> Any:
    """In English, whatever language is spoken. 400 where no engine translates."""
    _check_format(options, TRANSLATION_FORMATS)
    wanted = TranscriptionRequest.checked(hot_words=options.prompt, is_translated=True)
    return await _whole(wanted, await responses.audio_of(file), request.auth, options, ())


def _check_format(options: TranslationIn, formats: Sequence[str]) -> None:
    if options.response_format not in formats:
        raise RequestRefused("response_format", f"send one of {', '.join(formats)}.")


async def _whole(
    wanted: TranscriptionRequest,
    audio: bytes,
    caller: Caller,
    options: TranslationIn,
    granularities: Sequence[str],
) -> Any:
    async with transcription.transcribe(wanted, audio, caller) as call:
        recognition = await call.complete()
    if options.response_format in TEXT_TYPES:
        text = transcripts.as_text(recognition, options.response_format)
        return HttpResponse(text, content_type=TEXT_TYPES[options.response_format])
    task = "translate" if wanted.is_translated else "transcribe"
    return _as_json(recognition, options, granularities, task)


def _as_json(
    recognition: dict[str, Any], options: TranslationIn, granularities: Sequence[str], task: str
) -> dict[str, Any]:
    usage = {"type": "duration", "seconds": recognition["duration"]}
    if options.response_format == "json":
        return {"text": recognition["text"], "usage": usage}
    fields = {
        "task": task,
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
        fields = error_fields(
            http_errors.status_of(failure), failure.code, str(failure), http_errors.field_of(failure)
        )
        yield f"data: {json.dumps({'error': fields})}\n\n".encode()
