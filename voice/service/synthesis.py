"""Text to speech for a caller who waits: from the cache, else from a worker.

wanted = await checked(SpeechRequest.checked(text=…, format="mp3"), caller)
speech = await synthesize(wanted, tenant=tenant_of(caller))
async for part in speech.parts():
    part.body                                        # audio of one sentence in the requested format
speech.result["voice"]
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, field, replace

from django.conf import settings

from voice import metrics
from voice.callers import Caller
from voice.errors import RequestRefused
from voice.infra.threads import in_thread
from voice.queues import calls, pools
from voice.queues.call_keys import Meta
from voice.queues.calls import Call, Part
from voice.service.requests import SpeechRequest
from voice.speech import cache, names, voices
from voice.text import markup, writing_systems
from voice.text.normalisation import normalise
from voice.text.reading import with_spoken_signs
from voice.types import Voice

QUEUE = "tts-call"
"""Behind `tts`, where the questions of interviews wait."""
VOICES_KNOWN_FOR_S = 10.0
"""The voices are looked up at most once in this many seconds, because that reads directories."""


@dataclass(slots=True)
class Speech:
    """Speech that is cached or yet to be made. `result` is set after the last part."""

    _request: SpeechRequest
    _tenant: str
    _cache_key: str
    _is_whole: bool
    _cached: cache.CachedSpeech | None
    _asked_at: float
    _needs: str = ""
    _result: Meta = field(default_factory=dict)

    @property
    def is_cached(self) -> bool:
        """Whether the speech came from the cache without a worker."""
        return self._cached is not None

    @property
    def result(self) -> Meta:
        """{duration_ms, engine, voice, is_last_resort}, once all parts were read."""
        return self._cached.meta if self._cached else self._result

    async def parts(self) -> AsyncGenerator[Part]:
        """Yield the audio, in order. Whoever closes this early lets the worker stop, unless others read it.

        Raises:
            Busy: too much waits already.
            CallFailed: no engine could synthesise it, or none answered in time.
        """
        if self._cached:
            self._observe_first("cache")
            yield Part({"duration_ms": self._cached.meta["duration_ms"]}, self._cached.body)
            return
        is_silent = True
        async with self._submitted() as call:
            async for part in call.parts():
                if is_silent and part.body:  # a codec may have no output yet for the first sentence
                    self._observe_first("engine")
                    is_silent = False
                yield part
            self._result = call.result

    def _submitted(self) -> AbstractAsyncContextManager[Call]:
        """The call; concurrent ones of one tenant with the same request share the work."""
        speech = {"speech": asdict(self._request), "is_whole": self._is_whole, "cache_key": self._cache_key}
        return calls.submitted(
            QUEUE,
            {"kind": "speak", **speech},
            shared_as=f"{self._cache_key}:whole" if self._is_whole else self._cache_key,
            queue_limit=settings.VOICE["QUEUE_LIMIT"],
            tenant=self._tenant,
            needs=self._needs,
        )

    def _observe_first(self, source: str) -> None:
        seconds = time.monotonic() - self._asked_at
        metrics.FIRST_AUDIO_SECONDS.labels(source=source).observe(seconds)


async def synthesize(request: SpeechRequest, *, tenant: str, is_whole: bool = False) -> Speech:
    """Return the speech of a checked request; a worker begins when its parts are read.

    tenant: whose work it is, and who shares the cached speech; "" for a text that everybody knows.
    is_whole: nothing is sent before the file is complete, and its header states its length. A stream's header
    can't; but the stream begins with the first sentence.
    """
    asked_at = time.monotonic()
    key = cache_key(request, tenant)
    is_whole = is_whole and request.format != "pcm"  # which has no header
    engine = voices.engine_of(request.voice, request.language, among=await _known_voices())
    return Speech(request, tenant, key, is_whole, await cache.get(key), asked_at, pools.engine(engine))


def cache_key(request: SpeechRequest, tenant: str) -> str:
    """Return the secret name of everything that the audio depends on, for this tenant alone."""
    values = (str(value) for value in asdict(request).values())
    return names.secret_name("call", tenant, *values, names.SOUND)


async def checked(request: SpeechRequest, caller: Caller) -> SpeechRequest:
    """Return the request with voice and language that exist and fit each other and the text, as it is read.

    Raises:
        RequestRefused: markup, no such voice for this caller, no voice for the language, or another script.
    """
    if markup.looks_like_markup(request.text):
        raise RequestRefused("text", "it is markup, which would be read aloud; send plain text.")
    known = await _known_voices()
    voice = await _chosen(known, request, caller)
    language = request.language or (voice.language if voice else _language_of(request.text, known))
    if not any(voices.speaks(candidate, language) for candidate in ([voice] if voice else known)):
        speakers = f"the voice {voice.id} does not speak" if voice else "no voice speaks"
        raise RequestRefused("language", f"{speakers} {language}; see the list of voices.")
    if not writing_systems.is_speakable(request.text, language):
        raise RequestRefused(
            "text", f"it is in another script than the voice's language, {language}; choose another voice."
        )
    spoken = normalise(with_spoken_signs(request.text, language))
    return replace(request, text=spoken, language=language, voice=voice.id if voice else "")


def _language_of(text: str, known: Iterable[Voice]) -> str:
    """Return the default language, or that of the text's script where only a voice of that can say it."""
    default: str = settings.VOICE["LANGUAGE"]
    by_script = writing_systems.language_by_script(text)
    is_better = by_script and not writing_systems.is_speakable(text, default)
    return by_script if is_better and any(voices.speaks(voice, by_script) for voice in known) else default


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
