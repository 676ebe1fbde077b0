"""Whisper through faster-whisper and CTranslate2, on a GPU or on CPU.

    engine = FasterWhisper("base", slots=2)
    engine.load()
    engine.recognize(samples, language="en")

A recording is cut into windows of at most 30 s of speech (Silero VAD), and each window is encoded and decoded
once; silence is never shown to the model, which would invent words for it.  On a GPU the windows of different
speakers that arrive within a few milliseconds go through the model together; on CPU, where that gains
nothing, each call runs on one thread of its own over shared weights.  Both ways run the same code, a batch
being one window or several.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from voice.batching import Batcher
from voice.engines.base import (
    RECOGNITION_RATE_HZ,
    EngineUnavailable,
    LanguageUnsupported,
    Recognition,
    Samples,
    Word,
    checked_samples,
    primary_language,
)
from voice.engines.hub import cached_or_fetched
from voice.engines.silero import SileroVad
from voice.engines.whisper_text import REPETITIVE_COMPRESSION, Decoded, segments_of, shortened
from voice.engines.windows import speech_spans, windows

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

WINDOW_S: Final = 30.0
FRAMES_PER_S: Final = 100
WINDOW_FRAMES: Final = 3000

# The paper tries five temperatures; two bound the time that noise can take, and break most repetition loops.
RETRY_TEMPERATURES: Final = (0.4, 0.8)
RETRY_SAMPLES: Final = 5

# Punctuation that belongs to the word after or before it.  Source: openai/whisper timing.py.
PREPENDED: Final = "\"'“¿([{-"
APPENDED: Final = "\"'.。,，!！?？:：”)]}、"

_LANGUAGES: Final = """
    af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht
    hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl
    ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo zh
"""
LANGUAGES: Final = frozenset(_LANGUAGES.split())
# Tags in use for languages that Whisper knows by another code.
SYNONYMS: Final = {"nb": "no", "jv": "jw", "fil": "tl", "iw": "he", "in": "id", "cmn": "zh"}

MODEL_FILES: Final = ("config.json", "model.bin", "tokenizer.json")

Features = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What windows must have in common to be decoded together."""

    language: str | None
    """None detects the language instead of decoding."""
    hot_words: str | None = None
    is_partial: bool = False
    temperature: float = 0.0


@dataclass(frozen=True, slots=True)
class _Input:
    features: Features
    """float32[mel bins, 3000]"""
    n_frames: int
    """Frames of 10 ms before the padding."""


@dataclass(frozen=True, slots=True)
class _Language:
    code: str
    probability: float


class FasterWhisper:
    """See the module.  Thread-safe; on CPU `slots` calls run in parallel, further ones wait."""

    name = "faster_whisper"

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
        vad: SileroVad | None = None,
    ) -> None:
        """
        model: a directory, a size ("base", "large-v3") or a hub name ("Systran/faster-whisper-base").
        device: "cpu", "cuda" or "auto".  compute_type: "" is int8 on CPU and float16 on a GPU.
        models_dir: cache for downloads; "" is the hub client's own.
        is_batched: None batches on a GPU only.
        """
        self.model = model
        self.device = device
        self._compute_type = compute_type
        self._slots = slots
        self._models_dir = models_dir or None
        self._hub_timeout_s = hub_timeout_s
        self._batch_size = batch_size
        self._batch_wait_ms = batch_wait_ms
        self._is_batched = is_batched
        self._vad = vad or SileroVad()
        self._loading = threading.Lock()
        self._whisper: WhisperModel | None = None
        self._batcher: Batcher[_Kind, _Input, Any] | None = None

    def load(self) -> None:
        """Load the model, from the hub if it is not on this machine; further calls return at once.

        Raises:
            EngineUnavailable: no such model, the hub does not answer within `hub_timeout_s`, or no such
            device.
        """
        with self._loading:
            if self._whisper is not None:
                return
            self._vad.load()
            directory = self._directory()
            self.device = _device(self.device)
            whisper = self._opened(directory)
            if self._is_batched if self._is_batched is not None else self.device == "cuda":
                self._batcher = Batcher(
                    self._run,
                    max_items=self._batch_size,
                    max_wait_ms=self._batch_wait_ms,
                    name="whisper-batches",
                )
            self._whisper = whisper

    def close(self) -> None:
        """End the batching thread, after what it holds; the engine may be loaded again."""
        with self._loading:
            if self._batcher is not None:
                self._batcher.close()
            self._batcher = self._whisper = None

    def supports(self, language: str | None) -> bool:
        """99 languages, and detection (None), unless the model is an English-only one ("base.en")."""
        whisper = self._whisper
        is_multilingual = whisper.model.is_multilingual if whisper else not self.model.endswith(".en")
        if language is None:
            return is_multilingual
        return _code(language) in (LANGUAGES if is_multilingual else {"en"})

    def recognize(
        self,
        samples: Samples,
        *,
        language: str | None,
        hot_words: str | None = None,
        is_partial: bool = False,
    ) -> Recognition:
        """See `RecognitionEngine.recognize`.  `language=None` costs a second encoding of the first window."""
        samples = checked_samples(samples)
        self.load()
        if not self.supports(language):
            raise LanguageUnsupported(
                f"Whisper {self.model} does not hear {language!r}; name another language."
            )
        spans = speech_spans(self._vad.probabilities(samples), len(samples), longest_s=WINDOW_S)
        pieces = windows(spans, longest_s=WINDOW_S)
        inputs = [self._input(piece.cut_from(samples)) for piece in pieces]
        heard_in = self._language(inputs, language)
        kind = _Kind(heard_in.code, (hot_words or "").strip() or None, is_partial)
        decoded = self._decode(kind, inputs)
        segments = [s for piece, item in zip(pieces, decoded, strict=True) for s in segments_of(piece, item)]
        return Recognition(
            text=" ".join(segment.text for segment in segments),
            language=heard_in.code,
            language_probability=heard_in.probability,
            duration_s=len(samples) / RECOGNITION_RATE_HZ,
            segments=tuple(segments),
            engine=self.name,
            model=self.model,
        )

    # loading

    def _directory(self) -> str:
        path = Path(self.model).expanduser()
        if path.is_dir():
            if missing := [name for name in MODEL_FILES if not (path / name).is_file()]:
                raise EngineUnavailable(
                    f"{path} lacks {', '.join(missing)}; it is no converted Whisper model."
                )
            return str(path)
        if path.is_absolute() or self.model.startswith("."):
            raise EngineUnavailable(
                f"There is no directory {path}; set WHISPER_MODEL to one, or to a name such as base."
            )
        return cached_or_fetched(self._snapshot, name=f"Whisper {self.model}", timeout_s=self._hub_timeout_s)

    def _snapshot(self, is_local_only: bool) -> str:
        from huggingface_hub.errors import HFValidationError

        try:
            from faster_whisper.utils import download_model
        except ImportError as error:
            raise EngineUnavailable("The Python package 'faster-whisper' is missing; install it.") from error
        try:
            return str(download_model(self.model, local_files_only=is_local_only, cache_dir=self._models_dir))
        except HFValidationError as error:
            raise EngineUnavailable(
                f"{self.model!r} is no name of a model; set WHISPER_MODEL to one."
            ) from error
        except ValueError as error:  # a size that faster-whisper does not know; it names those it does
            raise EngineUnavailable(f"WHISPER_MODEL: {error}") from error

    def _opened(self, directory: str) -> WhisperModel:
        from faster_whisper import WhisperModel

        is_gpu = self.device == "cuda"
        try:
            return WhisperModel(
                directory,
                device=self.device,
                compute_type=self._compute_type or ("float16" if is_gpu else "int8"),
                cpu_threads=1,  # calls run side by side instead: measured as the faster way on CPU
                num_workers=1 if is_gpu else self._slots,
            )
        except (RuntimeError, ValueError) as error:
            raise EngineUnavailable(
                f"Whisper {self.model} cannot be loaded on {self.device} ({error}); "
                "choose a smaller WHISPER_MODEL, or another WHISPER_DEVICE or WHISPER_COMPUTE_TYPE."
            ) from error

    # recognising

    def _input(self, speech: Samples) -> _Input:
        from faster_whisper.audio import pad_or_trim

        assert self._whisper is not None
        features = self._whisper.feature_extractor(speech)[..., :-1]
        return _Input(pad_or_trim(features, WINDOW_FRAMES), min(features.shape[-1], WINDOW_FRAMES))

    def _language(self, inputs: Sequence[_Input], language: str | None) -> _Language:
        if language is not None:
            return _Language(_code(language), 1.0)
        if not inputs:
            return _Language("und", 0.0)  # undetermined.  Source: BCP 47, ISO 639-2
        detected: _Language = self._all(_Kind(None), inputs[:1])[0]
        return detected

    def _decode(self, kind: _Kind, inputs: Sequence[_Input]) -> list[Decoded]:
        first: list[Decoded] = self._all(kind, inputs)
        if kind.is_partial:  # replaced soon: not worth a second try
            return first
        return [self._best(kind, item, tried) for item, tried in zip(inputs, first, strict=True)]

    def _best(self, kind: _Kind, item: _Input, first: Decoded) -> Decoded:
        """`first` if it can be trusted, else the first of the retries that can, else the likeliest of all."""
        attempts = [first]
        for temperature in RETRY_TEMPERATURES:
            if attempts[-1].verdict != "retry":
                return attempts[-1]
            hotter = _Kind(kind.language, kind.hot_words, kind.is_partial, temperature)
            attempts += self._all(hotter, [item])
        varied = [attempt for attempt in attempts if attempt.compression <= REPETITIVE_COMPRESSION]
        return max(varied or attempts, key=lambda attempt: attempt.avg_logprob)

    def _all(self, kind: _Kind, inputs: Sequence[_Input]) -> list[Any]:
        """The results of `inputs`: batched with those of other callers, or one by one in this thread."""
        batcher = self._batcher
        try:
            if batcher is None:
                return [self._run(kind, [item])[0] for item in inputs]
            futures: list[Future[Any]] = [batcher.submit(kind, item) for item in inputs]
            return [future.result() for future in futures]
        except RuntimeError as error:
            raise EngineUnavailable(
                f"Whisper {self.model} failed on {self.device} ({error}); if memory ran out, choose a "
                "smaller WHISPER_MODEL or a lower BATCH_SIZE."
            ) from error

    def _run(self, kind: _Kind, items: list[_Input]) -> Sequence[Any]:
        """One call of the model for windows of one kind."""
        whisper = self._whisper
        assert whisper is not None
        encoded = whisper.encode(np.stack([item.features for item in items]))
        if kind.language is None:
            return [
                _Language(best[0][0][2:-2], best[0][1]) for best in whisper.model.detect_language(encoded)
            ]
        tokenizer = _tokenizer(whisper, kind.language)
        results = self._generated(whisper, tokenizer, encoded, kind, len(items))
        tokens = [[token for token in result.sequences_ids[0] if token < tokenizer.eot] for result in results]
        words = (
            self._aligned(whisper, tokenizer, encoded, tokens, items)
            if not kind.is_partial
            else [()] * len(items)
        )
        return [_result(tokenizer, *parts) for parts in zip(results, tokens, words, strict=True)]

    def _generated(
        self, whisper: WhisperModel, tokenizer: Tokenizer, encoded: Any, kind: _Kind, n_items: int
    ) -> list[Any]:
        from faster_whisper.transcribe import get_suppressed_tokens

        prompt = whisper.get_prompt(tokenizer, [], without_timestamps=True, hotwords=kind.hot_words)
        generated: list[Any] = whisper.model.generate(
            encoded,
            [prompt] * n_items,
            max_length=whisper.max_length,
            suppress_blank=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            return_scores=True,
            return_no_speech_prob=True,
            **self._search(kind),
        )
        return generated

    def _search(self, kind: _Kind) -> dict[str, Any]:
        if kind.temperature > 0:
            return {
                "beam_size": 1,
                "num_hypotheses": RETRY_SAMPLES,
                "sampling_topk": 0,
                "sampling_temperature": kind.temperature,
            }
        # Five beams lower the word error rate by a few per cent of itself (paper, table 7) and make decoding
        # on CPU two to three times as slow; a GPU hardly notices.  A caption is replaced before anybody could
        # see a gain.
        return {"beam_size": 5 if self.device == "cuda" and not kind.is_partial else 1}

    def _aligned(
        self,
        whisper: WhisperModel,
        tokenizer: Tokenizer,
        encoded: Any,
        tokens: list[list[int]],
        items: list[_Input],
    ) -> list[tuple[Word, ...]]:
        """The words of each window, timed by the decoder's attention to the audio."""
        from faster_whisper.transcribe import merge_punctuations

        alignments = whisper.find_alignment(tokenizer, tokens, encoded, [item.n_frames for item in items])
        for alignment in alignments:
            merge_punctuations(alignment, PREPENDED, APPENDED)
        return [
            shortened([_word(timing) for timing in alignment if timing["word"]]) for alignment in alignments
        ]


def _device(device: str) -> str:
    """ "auto" as "cuda" where CTranslate2 sees a GPU, else "cpu"."""
    if device != "auto":
        return device
    import ctranslate2

    return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"


def _code(language: str) -> str:
    primary = primary_language(language)
    return SYNONYMS.get(primary, primary)


def _tokenizer(whisper: WhisperModel, language: str) -> Tokenizer:
    from faster_whisper.tokenizer import Tokenizer

    return Tokenizer(
        whisper.hf_tokenizer, whisper.model.is_multilingual, task="transcribe", language=language
    )


def _result(tokenizer: Tokenizer, generated: Any, tokens: list[int], words: tuple[Word, ...]) -> Decoded:
    from faster_whisper.transcribe import get_compression_ratio

    text = tokenizer.decode(tokens).strip()
    n_tokens = len(generated.sequences_ids[0])
    return Decoded(
        text=text,
        words=words,
        # CTranslate2's score is the mean over the tokens without the end; Whisper counts the end too.
        avg_logprob=generated.scores[0] * n_tokens / (n_tokens + 1),
        no_speech_prob=generated.no_speech_prob,
        compression=get_compression_ratio(text) if text else 0.0,
    )


def _word(timing: dict[str, Any]) -> Word:
    confidence = min(1.0, max(0.0, float(timing["probability"])))
    return Word(timing["word"], float(timing["start"]), float(timing["end"]), confidence)
