"""Speech to text, whichever engine does it.

One `Recognizer` a process. A worker loads it before its first job; jobs ask `recognizer()` for it.
"""

from collections.abc import Iterable
from functools import cache

from django.conf import settings

from voice.engine_chain import EngineChain
from voice.engine_reports import EngineReport
from voice.engines import registry
from voice.engines.base import (
    EngineUnavailable,
    LanguageUnsupported,
    Recognition,
    RecognitionEngine,
    Samples,
)


class Recognizer:
    """Tries engines in order. All methods may be called from several threads at once."""

    def __init__(self, engines: Iterable[RecognitionEngine]) -> None:
        self._chain = EngineChain("recognition", engines)

    def load(self) -> None:
        """Load the first engine that can be loaded; the others follow when they are needed.

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
    ) -> Recognition:
        """Recognise speech with the first engine that knows the language and works.

        samples: float32[n_samples], mono, -1..1, 16 000 Hz.
        language: a language tag, or None to have the language detected.
        hot_words: names and terms that are likely to be said.
        is_partial: a caption that will be replaced soon: faster, without word times.

        Raises:
            AudioRejected: see `RecognitionEngine.recognize`.
            LanguageUnsupported: no configured engine knows the language.
            EngineUnavailable: none of those that know it works; the message has the reason of each.
        """
        reasons = []
        for link in self._chain:
            if not link.engine.supports(language):
                continue
            try:
                link.load()
                return link.engine.recognize(
                    samples, language=language, hot_words=hot_words, is_partial=is_partial
                )
            except LanguageUnsupported:
                continue
            except EngineUnavailable as error:
                link.note(error)
                reasons.append(f"{link.engine.name}: {error}")
        raise _nothing_left(language, reasons)

    def reports(self) -> tuple[EngineReport, ...]:
        """What is known of each engine, in order."""
        return self._chain.reports()


def _nothing_left(language: str | None, reasons: list[str]) -> EngineUnavailable:
    wanted = f"the language {language!r}" if language else "speech whose language is not given"
    if reasons:
        return EngineUnavailable(f"No engine could recognise {wanted}. " + "; ".join(reasons))
    return LanguageUnsupported(
        f"No configured engine recognises {wanted}: configure a Whisper model (WHISPER_MODEL)."
    )


@cache
def recognizer() -> Recognizer:
    """The recogniser of this process, with the engines of `settings.VOICE`."""
    return Recognizer(registry.recognition_engines(registry.EngineConfig.from_settings(settings.VOICE)))
