"""Speech to text with the first engine that works.

Each process has one `Recognizer`. A worker loads it before its first job; jobs get it from `recognizer()`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from django.conf import settings

from voice.engines import registry
from voice.engines.base import RecognitionEngine
from voice.errors import EngineUnavailable, LanguageUnsupported, ModelMissing
from voice.inference.chain import EngineChain, Link, NoneServed
from voice.inference.handover import Handover
from voice.inference.reports import DETECTED, EngineReport
from voice.inference.retry import ONCE, Retry
from voice.text.languages import CODES
from voice.types import RECOGNITION_RATE_HZ, EngineModel, Recognition, Samples, Segment, Window

OnSegments = Callable[[tuple[Segment, ...]], None]


class Recognizer:
    """Tries engines in order. All methods may be called from several threads at once."""

    def __init__(
        self,
        engines: Iterable[RecognitionEngine],
        *,
        retry: Retry | None = None,
        assumed_language: str = "",
        pool: str = "",
    ) -> None:
        """assumed_language: of speech whose language is not given, where no engine can detect it.

        pool: whose engines they are; "" where all workers are alike.
        """
        self._assumed_language = assumed_language
        self._chain = EngineChain("recognition", engines, pool=pool)
        self._retry = retry or Retry.from_settings()

    def load(self) -> None:
        """Load the first engine that can be loaded; the others are loaded when needed.

        Raises:
            EngineUnavailable: none can be loaded; the message has the reason of each.
        """
        self._chain.load()

    def recognize(
        self,
        samples: Samples,
        *,
        language: str | None,
        hot_words: str | None = None,
        is_partial: bool = False,
        is_translated: bool = False,
        windows: Sequence[Window] | None = None,
        on_segments: OnSegments | None = None,
        only: EngineModel | None = None,
    ) -> Recognition:
        """Transcribe speech with the first engine that knows the language and works.

        samples: float32[n_samples], mono, -1..1, 16 000 Hz.
        language: a language tag, or None to have the language detected, or assumed where no engine can do
        that; then the result's `language_probability` is 0.
        hot_words: names and terms that are likely to occur.
        is_translated: the text is in English, whatever was spoken.
        is_partial: a caption that will be replaced soon: faster, without word times, never retried.
        windows: what to recognise of the samples; only engines that take windows are tried. None: all speech.
        on_segments: called with segments as soon as they are final, each once, and with none in between, so
        that it can end the work by raising. A failure after segments is raised, because another engine would
        start from the beginning.
        only: no other engine is tried.

        Raises:
            AudioRejected: see `RecognitionEngine.recognize`.
            LanguageUnsupported: no configured engine knows the language.
            ModelMissing: the engine of `only` is not configured here, or has another model.
            EngineUnavailable: none of those that know it works; the message has the reason of each.
        """
        options: dict[str, Any] = {"language": language, "hot_words": hot_words, "is_partial": is_partial}
        if is_translated:
            options["is_translated"] = True
        if windows is not None:
            options["windows"] = windows
        if only is not None:
            return self._with(only, samples, options, on_segments)
        try:
            return self._first(samples, options, on_segments)
        except NoneServed as none:
            if language is not None or not self._assumed_language or none.blamed:
                raise _nothing_left(language, none, is_translated=is_translated) from None
        return self._assumed(samples, options, on_segments)

    def _with(
        self,
        only: EngineModel,
        samples: Samples,
        options: dict[str, Any],
        on_segments: OnSegments | None,
    ) -> Recognition:
        """Recognise it with this engine, or not at all."""
        same = [link for link in self._chain if (link.engine.name, link.engine.model) == only]
        if not same:
            raise ModelMissing(f"{only} is not configured here any more.")
        try:
            return self._first(samples, options, on_segments, among=same)
        except NoneServed as none:
            raise _nothing_left(options["language"], none, is_translated=False) from None

    def _assumed(
        self, samples: Samples, options: dict[str, Any], on_segments: OnSegments | None
    ) -> Recognition:
        """Recognise it in the assumed language, where no engine detects languages."""
        language = self._assumed_language
        try:
            result = self._first(samples, options | {"language": language}, on_segments)
        except NoneServed as none:
            is_translated = "is_translated" in options
            raise _nothing_left(language, none, is_translated=is_translated) from None
        return replace(result, language_probability=0.0)

    def _first(
        self,
        samples: Samples,
        options: dict[str, Any],
        on_segments: OnSegments | None,
        among: Iterable[Link[RecognitionEngine]] | None = None,
    ) -> Recognition:
        """Recognise it with the first fit engine that works. Raises NoneServed where none does."""
        handover = Handover(on_segments)
        retry = ONCE if options["is_partial"] else self._retry
        result = self._chain.first_to_serve(
            self._fit(options, among),
            lambda link: _recognize(link, samples, options, handover, retry),
            handover,
        )
        if on_segments and result.segments and not handover.has_begun:
            on_segments(result.segments)  # an engine that knows none before the end
        return result

    def _fit(
        self, options: dict[str, Any], among: Iterable[Link[RecognitionEngine]] | None = None
    ) -> list[Link[RecognitionEngine]]:
        fit = [link for link in among or self._chain if link.engine.supports(options["language"])]
        if "windows" in options:
            fit = [link for link in fit if link.engine.takes_windows]
        return [link for link in fit if link.engine.translates] if "is_translated" in options else fit

    def window_engine(self, language: str | None) -> tuple[str, str] | None:
        """Return name and model of the engine for this language, if it is one that takes windows."""
        fit = (link for link in self._fit({"language": language}) if link.state != "unavailable")
        first = next(fit, None)
        if first is None or not first.engine.takes_windows:
            return None
        return first.engine.name, first.engine.model

    def offered(self) -> dict[str, Sequence[str]]:
        """Return the languages that each engine which can be used recognises, by its name."""
        return self._chain.offered(_languages_of)

    def served(self) -> dict[str, list[str]]:
        """Return the languages that each engine is the first to recognise, by its name."""
        return self._chain.served(_languages_of)

    def reports(self) -> tuple[EngineReport, ...]:
        """Return the report of each engine, in order, with the languages that it knows."""
        return tuple(
            replace(report, languages=_languages_of(link.engine))
            for report, link in zip(self._chain.reports(), self._chain, strict=True)
        )


def _languages_of(engine: RecognitionEngine) -> tuple[str, ...]:
    detected = (DETECTED,) if engine.supports(None) else ()
    return (*detected, *(code for code in CODES if engine.supports(code)))


def _recognize(
    link: Link[RecognitionEngine],
    samples: Samples,
    options: dict[str, Any],
    handover: Handover[tuple[Segment, ...]],
    retry: Retry,
) -> Recognition:
    if handover.receive:
        options = options | {"on_segments": handover.give}  # an engine is told nothing where nobody listens
    with link.call(handover) as call:

        def recognize() -> Recognition:
            call.audio_s = len(samples) / RECOGNITION_RATE_HZ
            with call.timed():
                return link.engine.recognize(samples, **options)

        return call.tried(recognize, retry)


def _nothing_left(language: str | None, none: NoneServed, *, is_translated: bool) -> Exception:
    """Return the error for the caller: our own bug, else a missing engine, else an unsupported language."""
    wanted = f"the language {language!r}" if language else "speech whose language is not given"
    if none.blamed:
        return none.blamed
    if none.reasons:
        return EngineUnavailable(f"No engine could recognise {wanted}. {none.reasons}")
    if is_translated:
        return LanguageUnsupported(
            f"No configured engine translates {wanted}: configure a multilingual Whisper model."
        )
    return LanguageUnsupported(
        f"No configured engine recognises {wanted}: configure a Whisper model (WHISPER_MODEL)."
    )


@cache
def recognizer() -> Recognizer:
    """Return the recogniser of this process, with the engines of `settings.VOICE`."""
    engines = registry.recognition_engines(registry.EngineConfig.from_settings(settings.VOICE))
    return Recognizer(engines, assumed_language=settings.VOICE["LANGUAGE"], pool=settings.POOL)
