"""Text to speech for a caller who waits: from the cache, else from a worker.

wanted = await checked(SpeechRequest.checked(text=…, format="mp3"), caller)
speech = await synthesize(wanted, tenant=tenant_of(caller))
async for part in speech.parts():
    part.body                                        # audio of one sentence in the requested format
speech.result["voice"]
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace

from django.conf import settings

from voice import metrics
from voice.callers import Caller
from voice.errors import RequestRefused
from voice.infra.threads import in_thread
from voice.queues import calls
from voice.queues.call_keys import Meta
from voice.queues.calls import Call, Part
from voice.service.requests import SpeechRequest
from voice.speech import cache, names, voices
from voice.text import markup, writing_systems
from voice.types import Voice

VOICES_KNOWN_FOR_S = 10.0
"""The voices are looked up at most once in this many seconds, because that reads directories."""


@dataclass(slots=True)
class Speech:
    """Speech that is cached or on its way. `result` is set after the last part."""

    _call: Call | None
    _cached: cache.CachedSpeech | None
    _asked_at: float

    @property
    def is_cached(self) -> bool:
        """Whether the speech came from the cache without a worker."""
        return self._cached is not None

    @property
    def result(self) -> Meta:
        """{duration_ms, engine, voice, is_last_resort}, once all parts were read."""
        return self._cached.meta if self._cached else self._call.result if self._call else {}

    async def parts(self) -> AsyncIterator[Part]:
        """Yield the audio, in order.

        Raises:
            CallFailed: no engine could synthesise it, or none answered in time.
        """
        if self._cached:
            self._observe_first("cache")
            yield Part({"duration_ms": self._cached.meta["duration_ms"]}, self._cached.body)
        elif self._call:
            is_silent = True
            async for part in self._call.parts():
                if is_silent and part.body:  # a codec may have no output yet for the first sentence
                    self._observe_first("engine")
                    is_silent = False
                yield part

    def _observe_first(self, source: str) -> None:
        seconds = time.monotonic() - self._asked_at
        metrics.FIRST_AUDIO_SECONDS.labels(source=source).observe(seconds)


async def synthesize(request: SpeechRequest, *, tenant: str, is_whole: bool = False) -> Speech:
    """Synthesise a checked request; concurrent calls of one tenant with the same request share the work.

    tenant: who shares the cached speech; "" for a text that everybody knows.
    is_whole: nothing is sent before the file is complete, and its header states its length. A stream's header
    can't; but the stream begins with the first sentence.

    Raises:
        Busy: too much waits already.
    """
    asked_at = time.monotonic()
    key = cache_key(request, tenant)
    if cached := await cache.get(key):
        return Speech(None, cached, asked_at)
    is_whole = is_whole and request.format != "pcm"  # which has no header
    call = await calls.submit(
        "tts",
        {"kind": "speak", "speech": asdict(request), "is_whole": is_whole, "cache_key": key},
        shared_as=f"{key}:whole" if is_whole else key,
        queue_limit=settings.VOICE["QUEUE_LIMIT"],
    )
    return Speech(call, None, asked_at)


def cache_key(request: SpeechRequest, tenant: str) -> str:
    """Return the secret name of everything that the audio depends on, for this tenant alone."""
    return names.secret_name("call", tenant, *(str(value) for value in asdict(request).values()))


async def checked(request: SpeechRequest, caller: Caller) -> SpeechRequest:
    """Return the request with voice and language that exist and fit each other and the text.

    Raises:
        RequestRefused: markup, no such voice for this caller, no voice for the language, or another script.
    """
    if markup.looks_like_markup(request.text):
        raise RequestRefused("text", "it is markup, which would be read aloud; send plain text.")
    known = await _known_voices()
    voice = await _chosen(known, request, caller)
    language = request.language or (voice.language if voice else settings.VOICE["LANGUAGE"])
    if not any(voices.speaks(candidate, language) for candidate in ([voice] if voice else known)):
        speakers = f"the voice {voice.id} does not speak" if voice else "no voice speaks"
        raise RequestRefused("language", f"{speakers} {language}; see the list of voices.")
    if not writing_systems.is_speakable(request.text, language):
        raise RequestRefused(
            "text", f"it is in another script than the voice's language, {language}; choose another voice."
        )
    return replace(request, language=language, voice=voice.id if voice else "")


async def voices_for(caller: Caller) -> tuple[Voice, ...]:
    """Return the voices that this caller can choose: shared ones in order of engines, then their clones."""
    clones = await in_thread(voices.cloned)(caller.owner) if caller.owner else ()
    return (*await _known_voices(), *clones)


@dataclass(slots=True)
class _Known:
    """The voices of the engines at the last lookup."""

    voices: tuple[Voice, ...] = ()
    fresh_until: float = 0.0


_known = _Known()


async def _known_voices() -> tuple[Voice, ...]:
    now = time.monotonic()
    if now >= _known.fresh_until:
        if _known.voices:
            _known.fresh_until = now + VOICES_KNOWN_FOR_S  # the others use the old list meanwhile
        _known.voices = await asyncio.to_thread(voices.known)
        _known.fresh_until = now + VOICES_KNOWN_FOR_S
    return _known.voices


async def _chosen(known: tuple[Voice, ...], request: SpeechRequest, caller: Caller) -> Voice | None:
    if not request.voice:
        return None
    if found := voices.chosen(request.voice, among=known):
        return found
    language = request.language or settings.VOICE["LANGUAGE"]
    if caller.owner:
        choose = in_thread(voices.chosen_clone)
        if found := await choose(request.voice, owner=caller.owner, language=language):
            return found
    raise RequestRefused("voice", "there is no such voice; see the list of voices.")
