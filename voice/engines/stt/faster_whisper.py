"""Whisper through faster-whisper and CTranslate2, on a GPU or on CPU.

    engine = FasterWhisper("base", slots=2)
    engine.load()
    engine.recognize(samples, language="en")

A recording is cut into windows of at most 30 s of speech (Silero VAD), and each window is encoded and decoded
once. The model never gets silence, because it would invent words for it. On a GPU the windows of different
speakers that arrive within a few milliseconds go through the model together. On CPU the encoder gains nothing
from that, so each window is encoded by a thread of its own over shared weights; those that are encoded by
the time a thread is free are decoded together (`batching.Line`).

The encoder is shown as much as a window needs (`whisper_contexts`), and 30 s where the result is doubtful.

When memory runs out, while loading or in a call, the next smaller model replaces this one for the life of the
process (`whisper_loading.smaller_models`); `model` and `notice` say so.

The engine calls the model in a fixed number of its own threads, so that no caller has to wait for a call that
hangs. After `deadline_s` its callers, and all later ones, get `TransientFailure`, and `is_stuck` asks for the
end of the process, because nothing else ends a call inside CTranslate2. Threads are never replaced, so they
do not pile up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from voice.audio.pcm import checked_samples
from voice.engines.stt.whisper_decoding import Kind, Language
from voice.engines.stt.whisper_loading import (
    OutOfMemory,
    Place,
    device_of,
    is_out_of_memory,
    smaller_models,
)
from voice.engines.stt.whisper_model import Batching, LoadedWhisper
from voice.engines.stt.whisper_text import segments_of
from voice.engines.vad.silero import SileroVad
from voice.engines.vad.windows import windows_of
from voice.errors import EngineUnavailable, LanguageUnsupported
from voice.text.languages import primary_language
from voice.types import RECOGNITION_RATE_HZ, Recognition, Samples, Segment, Window

CLOSING_S: Final = 10.0

# Of all multilingual models. Cantonese ("yue") came with large-v3.
_LANGUAGES: Final = """
    af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht
    hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl
    ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo zh
"""
LANGUAGES: Final = frozenset(_LANGUAGES.split()) | {"yue"}
LATER_LANGUAGES: Final = {"yue": ("large-v3", "turbo")}
"""Languages that only models with one of these words in their name know."""
# Common tags for languages that Whisper knows by another code.
SYNONYMS: Final = {"nb": "no", "jv": "jw", "fil": "tl", "iw": "he", "in": "id", "cmn": "zh"}
UNDETERMINED: Final = Language("und", 0.0)  # Source: BCP 47, ISO 639-2


class FasterWhisper:
    """See the module. Thread-safe; on CPU `slots` windows are decoded in parallel, further ones wait."""

    name = "faster_whisper"
    takes_windows = True

    def __init__(
        self,
        model: str,
        *,
        device: str = "auto",
        compute_type: str = "",
        slots: int = 1,
        models_dir: str = "",
        hub_timeout_s: float = 5.0,
        batch_size: int = 8,
        batch_wait_ms: float = 20,
        is_batched: bool | None = None,
        smaller: Sequence[str] = (),
        deadline_s: float = 60.0,
        vad: SileroVad | None = None,
    ) -> None:
        """
        model: a directory, a size ("base", "large-v3") or a hub name ("Systran/faster-whisper-base").
        device: "cpu", "cuda" or "auto". compute_type: "" is int8 on CPU and float16 on a GPU.
        models_dir: cache for downloads; "" is the hub client's own.
        is_batched: see `Batching`.
        smaller: models to use when memory runs out, largest first; none: Whisper's smaller sizes.
        deadline_s: a model that takes longer than this for one batch is considered hung.
        """
        self.model = model
        self.device = device
        self.notice = ""
        self._compute_type = compute_type
        self._slots = slots
        self._models_dir = models_dir or None
        self._hub_timeout_s = hub_timeout_s
        self._batching = Batching(batch_size, batch_wait_ms, is_batched, deadline_s)
        self._smaller = tuple(smaller)
        self._deadline_s = deadline_s
        self._vad = vad or SileroVad()
        self._loading = threading.Lock()
        self._loaded: LoadedWhisper | None = None

    @property
    def is_stuck(self) -> bool:
        """Whether a call of the model has not returned for `deadline_s`; only a new process ends that."""
        loaded = self._loaded
        return loaded is not None and loaded.is_stuck

    def load(self) -> None:
        """Load the model, from the hub if it is not on this machine; further calls return at once.

        Raises:
            EngineUnavailable: no such model, the hub does not answer within `hub_timeout_s`, no such device,
            or not enough memory for any of the models.
        """
        if self._loaded is not None:
            return
        with self._loading:
            if self._loaded is None:
                self._vad.load()
                self.device = device_of(self.device)
                self._loaded = self._opened((self.model, *smaller_models(self.model, self._smaller)))

    def close(self) -> None:
        """Finish the queued work, end the threads and free the memory; the engine may be loaded again."""
        with self._loading:
            loaded, self._loaded = self._loaded, None
        if loaded is not None:
            loaded.close(CLOSING_S)

    @property
    def translates(self) -> bool:
        """Whether it can give the words in English: all models but those for English only."""
        return self.supports(None)

    def supports(self, language: str | None) -> bool:
        """Whether the model knows the language: 99 or 100 and detection (None), or English only ("base.en").

        A loaded model is asked for its languages; before that its name tells.
        """
        loaded = self._loaded
        languages = loaded.decoder.languages if loaded else languages_by_name(self.model)
        return len(languages) > 1 if language is None else _code(language) in languages

    def recognize(
        self,
        samples: Samples,
        *,
        language: str | None,
        hot_words: str | None = None,
        is_partial: bool = False,
        is_translated: bool = False,
        windows: Sequence[Window] | None = None,
        on_segments: Callable[[tuple[Segment, ...]], None] | None = None,
    ) -> Recognition:
        """See `RecognitionEngine.recognize`. `on_segments` is called after each window.

        windows: what to recognise of `samples`, each at most 30 s; None finds the speech by voice activity.

        Raises:
            TransientFailure: the model has not returned for `deadline_s`.
        """
        samples = checked_samples(samples)
        self.load()
        if not self.supports(language):
            raise LanguageUnsupported(
                f"Whisper {self.model} does not hear {language!r}; name another language."
            )
        if windows is None:
            windows = windows_of(self._vad.probabilities(samples), len(samples))
        code = None if language is None else _code(language)
        kind = Kind(code, (hot_words or "").strip() or None, is_partial, is_translated)
        heard_in, segments = self._heard(samples, list(windows), kind, on_segments or _tell_nobody)
        return Recognition(
            text=" ".join(segment.text for segment in segments),
            language=heard_in.code,
            language_probability=heard_in.probability,
            duration_s=len(samples) / RECOGNITION_RATE_HZ,
            segments=tuple(segments),
            engine=self.name,
            model=self.model,
        )

    # transcribing

    def _heard(
        self,
        samples: Samples,
        pieces: list[Window],
        kind: Kind,
        tell: Callable[[tuple[Segment, ...]], None],
    ) -> tuple[Language, list[Segment]]:
        """Transcribe window after window; if memory runs out, the smaller model repeats the window."""
        heard_in = Language(kind.language, 1.0) if kind.language else UNDETERMINED
        segments: list[Segment] = []
        while pieces:
            loaded = self._loaded_now()
            group = pieces[: loaded.ahead if kind.language else 1]  # the first window gives the language
            try:
                results = loaded.decoded(kind, [piece.cut_from(samples) for piece in group])
            except (RuntimeError, MemoryError) as error:
                self._make_room(loaded, error)
                continue
            pieces = pieces[len(group) :]
            if kind.language is None:
                heard_in = results[0].language
                kind = replace(kind, language=heard_in.code)
            for piece, result in zip(group, results, strict=True):
                found = segments_of(piece, result.decoded)
                segments += found
                tell(tuple(found))
        return heard_in, segments

    # models

    def _loaded_now(self) -> LoadedWhisper:
        with self._loading:  # another thread may be replacing it
            loaded = self._loaded
        if loaded is None:  # closed, or out of models, during this call
            raise EngineUnavailable(self.notice or f"Whisper {self.model} was closed; load it again.")
        return loaded

    def _opened(self, names: Sequence[str], reasons: Sequence[str] = ()) -> LoadedWhisper:
        """The first of `names` that memory suffices for; `reasons` tells what has led to them."""
        place = Place(self.device, self._compute_type, self._slots, self._models_dir, self._hub_timeout_s)
        for name in names:
            try:
                loaded = LoadedWhisper.opened(name, place, self._batching)
            except EngineUnavailable as error:
                if not reasons and not isinstance(error, OutOfMemory):
                    raise
                reasons = (*reasons, str(error))
            else:
                self.model = name
                self.notice = " ".join((*reasons, f"{name} is loaded instead.")) if reasons else ""
                return loaded
        self.notice = " ".join(reasons)
        raise EngineUnavailable(self.notice)

    def _make_room(self, failed: LoadedWhisper, error: BaseException) -> None:
        """Replace the model that ran out of memory by a smaller one, unless another thread has done so.

        Raises:
            EngineUnavailable: it failed for another reason, or there is no smaller one.
        """
        with self._loading:
            if self._loaded is not failed:
                return
            smaller = smaller_models(failed.name, self._smaller) if is_out_of_memory(error) else ()
            if not smaller:
                raise EngineUnavailable(
                    f"Whisper {failed.name} failed on {self.device} ({error}); if memory ran out, choose a "
                    "smaller WHISPER_MODEL or a lower BATCH_SIZE."
                ) from error
            self._loaded = None
            failed.close(self._deadline_s)  # frees the memory that the next one needs
            reason = f"Memory ran out for Whisper {failed.name} on {self.device}."
            self._loaded = self._opened(smaller, [reason])


def _tell_nobody(segments: tuple[Segment, ...]) -> None:
    """Ignore the segments."""


def languages_by_name(model: str) -> frozenset[str]:
    """Return the languages that a model of this name knows."""
    if model.endswith(".en"):
        return frozenset({"en"})
    return LANGUAGES - {
        language for language, words in LATER_LANGUAGES.items() if not any(word in model for word in words)
    }


def _code(language: str) -> str:
    primary = primary_language(language)
    return SYNONYMS.get(primary, primary)
