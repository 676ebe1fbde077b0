"""The REST API of the speech service: synthesise, transcribe, batches of files, voices, statistics.

The project that mounts the routers authenticates callers and calls `voice.web.intake.admit` for each request.
"""

import asyncio
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from ninja import Field, File, Form, Query, Router, Schema, Status
from ninja import UploadedFile as NinjaFile

from voice.callers import READ, WRITE, Caller, owner_of
from voice.infra.threads import in_thread
from voice.models import Batch, BatchFile, ClonedVoice
from voice.monitoring import statistics
from voice.service import batches, synthesis, transcription
from voice.service.requests import FORMATS, ConversionRequest, SpeechRequest, TranscriptionRequest
from voice.speech import cloning
from voice.speech.voices import described, speaks
from voice.text import sentiment, transcripts
from voice.web import http_errors, intake, responses, schemas, scopes
from voice.web.intake import VoiceHttpRequest
from voice.web.schemas import AUDIO, TEXT_TYPES, TEXTS

MAX_LIMIT = 100
DIGITS = "1, 2, 3, 4, 5."
"""Every voice can read these in its own language."""
ERRORS = {(400, 401, 403, 404, 405, 413, 422, 429, 500, 503, 504): schemas.ProblemOut}

router = Router(tags=["speech"])
router.add_decorator(intake.with_allowance, mode="view")
short_router = Router(tags=["speech"])
"""`/api/tts` and `/api/stt`: short names of the same operations."""
short_router.add_decorator(intake.with_allowance, mode="view")
stats_router = Router(tags=["operation"])
stats_router.add_decorator(intake.with_allowance, mode="view")


@short_router.post(
    "/tts", response=ERRORS, openapi_extra=AUDIO, operation_id="tts", summary="As /api/v1/voice/synthesize"
)
@router.post("/synthesize", response=ERRORS, openapi_extra=AUDIO, summary="Speak a text")
@scopes.needs(WRITE)
async def synthesize(request: VoiceHttpRequest, payload: schemas.SpeechIn) -> HttpResponseBase:
    """Audio in the format asked for, from the first sentence on.

    Nobody is kept waiting for what was spoken before: it comes from a cache.
    """
    fields = payload.dict(exclude={"sentiment"})
    wanted = SpeechRequest.checked(**fields, max_chars=settings.VOICE["MAX_TEXT_CHARS"])
    response = await responses.speech(wanted, request.auth)
    if payload.sentiment:
        response["X-Sentiment"] = responses.as_header(await _tone_of(wanted.text, wanted.language))
    return response


@short_router.post(
    "/stt",
    response={200: schemas.RecognisedOut, **ERRORS},
    exclude_unset=True,
    openapi_extra=TEXTS,
    operation_id="stt",
    summary="As /api/v1/voice/transcribe",
)
@router.post(
    "/transcribe",
    response={200: schemas.RecognisedOut, **ERRORS},
    exclude_unset=True,
    openapi_extra=TEXTS,
    summary="Write down what is said in a file",
)
@scopes.needs(WRITE)
async def transcribe(
    request: VoiceHttpRequest, options: Form[schemas.TranscribeIn], file: File[NinjaFile]
) -> Any:
    """WAV, MP3, Opus, FLAC, M4A, WebM and what else FFmpeg reads.

    `response_format` gives JSON with segments, words and confidences, or plain text, SRT or VTT.
    """
    recognised = await _recognised(_wanted(options), await responses.audio_of(file), request.auth)
    if options.response_format != "json":
        return _as_text(recognised, options.response_format)
    if options.sentiment:
        recognised |= await _tone_of(recognised["text"], recognised["language"])
    return recognised


@router.post("/convert", response=ERRORS, openapi_extra=AUDIO, summary="Make a file even, in another format")
@scopes.needs(WRITE)
async def convert(
    request: VoiceHttpRequest, options: Form[schemas.ConversionIn], file: File[NinjaFile]
) -> HttpResponseBase:
    """Mono. `X-Source` says what the file was: container, codec, sample_rate_hz, channels, duration_s …"""
    wanted = ConversionRequest.checked(
        format=options.format,
        sample_rate=options.sample_rate,
        loudness=None if options.keep_level else options.loudness,
        compress=options.compress,
        trim=options.trim,
    )
    return await responses.converted(wanted, await responses.audio_of(file), request.auth)


async def _recognised(wanted: TranscriptionRequest, audio: bytes, caller: Caller) -> dict[str, Any]:
    async with transcription.transcribe(wanted, audio, caller) as call:
        return await call.complete()


async def _tone_of(text: str, language: str) -> dict[str, Any]:
    return await asyncio.to_thread(sentiment.tone_fields, text, language)


def _wanted(options: schemas.TranscriptionIn) -> TranscriptionRequest:
    wanted = TranscriptionRequest.checked(
        language=options.language, hot_words=options.prompt, is_diarized=options.diarize
    )
    transcription.check_diarization(wanted)
    return wanted


def _as_text(recognised: dict[str, Any], format: str) -> HttpResponse:  # noqa: A002
    return HttpResponse(transcripts.as_text(recognised, format), content_type=TEXT_TYPES[format])


# Voices


class VoiceFilter(Schema):
    language: str = ""
    engine: str = ""


@router.get("/voices", response={200: list[schemas.VoiceOut], **ERRORS}, summary="List voices")
@scopes.needs(READ)
async def list_voices(request: VoiceHttpRequest, wanted: Query[VoiceFilter]) -> list[dict[str, Any]]:
    """Those tried first in front. `language` finds de-AT for de and the other way round."""
    known = await synthesis.voices_for(request.auth)
    return [
        described(voice)
        for voice in known
        if (not wanted.language or speaks(voice, wanted.language))
        and (not wanted.engine or voice.engine == wanted.engine)
    ]


@router.api_operation(["HEAD"], "/voices/{path:voice_id}/sample", include_in_schema=False)
@router.get(
    "/voices/{path:voice_id}/sample",
    response=ERRORS,
    openapi_extra=AUDIO,
    url_name="voice-sample",
    summary="Hear a voice",
)
@scopes.needs(READ)
async def hear_voice(
    request: VoiceHttpRequest,
    voice_id: str,
    format: str = Query("mp3", description=", ".join(FORMATS)),  # noqa: A002
) -> HttpResponseBase:
    """A sentence in the voice's language, whole or in ranges."""
    known = [described(voice) for voice in await synthesis.voices_for(request.auth)]
    voice = next((fields for fields in known if fields["id"] == voice_id), None)
    if voice is None:
        raise Http404("There is no such voice; see the list of voices.")
    text = voice["sample_text"] or DIGITS
    wanted = SpeechRequest.checked(text=text, voice=voice_id, format=format)
    return await responses.whole_sample(request, wanted, request.auth)


@router.get(
    "/cloned-voices",
    response={200: list[schemas.ClonedVoiceOut], **ERRORS},
    summary="List the voices that you registered",
)
@scopes.needs(READ)
async def list_cloned_voices(request: VoiceHttpRequest) -> list[ClonedVoice]:
    """Those of your organisation, by name."""
    return list(await in_thread(cloning.voices_of)(owner_of(request.auth)))


@router.delete(
    "/cloned-voices/{str:voice_id}",
    response={204: None, **ERRORS},
    summary="Erase a voice that you registered",
)
@scopes.needs(WRITE)
async def erase_cloned_voice(request: VoiceHttpRequest, voice_id: str) -> Status[None]:
    """Its reference recording, what was derived from it, and what it said, from the cache."""
    if not await in_thread(cloning.remove)(owner_of(request.auth), voice_id):
        raise Http404("You have no registered voice of this name.")
    return Status(204, None)


# Batches


@router.post("/batches", response={202: schemas.BatchIdOut, **ERRORS}, summary="Hand in many files")
@scopes.needs(WRITE)
async def create_batch(
    request: VoiceHttpRequest, options: Form[schemas.TranscriptionIn], files: File[list[NinjaFile]]
) -> Status[Batch]:
    """They are recognised when there is time; ask for progress at `batches/{id}`."""
    create, owner = in_thread(batches.create), owner_of(request.auth)
    batch = await create(owner=owner, request=_wanted(options), files=list[UploadedFile](files))
    return Status(202, batch)


class Page(Schema):
    limit: int = Field(50, ge=1, le=MAX_LIMIT)
    offset: int = Field(0, ge=0, le=10**9)


@router.get("/batches", response={200: schemas.BatchesOut, **ERRORS}, summary="List your batches")
@scopes.needs(READ)
async def list_batches(request: VoiceHttpRequest, page: Query[Page]) -> dict[str, Any]:
    """The latest first."""

    def read() -> dict[str, Any]:
        rows = batches.of_owner(owner_of(request.auth))
        return {"items": list(rows[page.offset : page.offset + page.limit]), "count": rows.count()}

    return await in_thread(read)()


@router.get(
    "/batches/{uuid:batch_id}", response={200: schemas.BatchOut, **ERRORS}, summary="How far a batch is"
)
@scopes.needs(READ)
async def read_batch(request: VoiceHttpRequest, batch_id: UUID) -> Batch:
    """Each file with its state, in the order they were sent."""
    return await in_thread(_batch)(request.auth, batch_id)


@router.get(
    "/batches/{uuid:batch_id}/files/{uuid:file_id}",
    response={200: schemas.RecognisedOut, **ERRORS},
    exclude_unset=True,
    openapi_extra=TEXTS,
    summary="What was heard in a file",
)
@scopes.needs(READ)
async def read_batch_file(
    request: VoiceHttpRequest,
    batch_id: UUID,
    file_id: UUID,
    format: schemas.ResultFormat = "json",  # noqa: A002
) -> Any:
    """409 while the file waits, and when it failed."""
    row = await in_thread(batches.file_of_owner)(owner_of(request.auth), batch_id, file_id)
    if row is None:
        raise Http404("You have no batch with such a file.")
    if row.status != BatchFile.Status.DONE:
        detail = row.last_error or "The file was not recognised yet; ask again later."
        return http_errors.as_problem(409, f"file_{row.status}", detail)
    recognised = batches.recognised_fields(row)
    return recognised if format == "json" else _as_text(recognised, format)


@router.delete("/batches/{uuid:batch_id}", response={204: None, **ERRORS}, summary="Forget a batch")
@scopes.needs(WRITE)
async def delete_batch(request: VoiceHttpRequest, batch_id: UUID) -> Status[None]:
    """Its files, what was heard in them, and what waits."""
    await in_thread(lambda: batches.delete(_batch(request.auth, batch_id)))()
    return Status(204, None)


def _batch(caller: Caller, batch_id: UUID) -> Batch:
    in_order = Prefetch("files", BatchFile.objects.order_by("position"))
    batch = batches.of_owner(owner_of(caller)).prefetch_related(in_order).filter(pk=batch_id).first()
    if batch is None:
        raise Http404("You have no batch with this id.")
    return batch


# Operation


@stats_router.get("/stats", response={200: dict, **ERRORS}, summary="What the speech service is doing")
@scopes.needs(READ)
async def stats(request: VoiceHttpRequest) -> dict[str, Any]:
    """A key's open connections, and its organisation's batches, cloned voices and interviews.

    Superusers see the whole installation instead: connections, candidates, queues, retreat, what waits,
    calls, cache, engines and versions.
    """
    return await in_thread(statistics.read)(request.auth)
