"""Decode windows of speech with a loaded Whisper: one call of CTranslate2 for a whole batch of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from voice.engines.stt.whisper_text import Decoded, shortened
from voice.types import Samples, Word

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

WINDOW_FRAMES: Final = 3000
RETRY_SAMPLES: Final = 5

# Punctuation that belongs to the word after or before it. Source: openai/whisper timing.py.
PREPENDED: Final = "\"'“¿([{-"
APPENDED: Final = "\"'.。,，!！?？:：”)]}、"


@dataclass(frozen=True, slots=True)
class Kind:
    """The properties that windows must share to be decoded together."""

    language: str | None
    """None detects it."""
    hot_words: str | None = None
    is_partial: bool = False
    is_translated: bool = False
    """Into English."""
    temperature: float = 0.0


@dataclass(frozen=True, slots=True)
class Input:
    """A window in the form that Whisper takes."""

    features: npt.NDArray[np.float32]
    """float32[mel bins, 3000]"""
    n_frames: int
    """Frames of 10 ms before the padding."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language by Whisper's code, and how likely it is (1.0 if it was given)."""

    code: str
    probability: float


@dataclass(frozen=True, slots=True)
class Heard:
    """The decoding of one window, and its language."""

    decoded: Decoded
    language: Language


class WhisperDecoder:
    """A loaded model. As thread-safe as CTranslate2: calls beyond its workers wait for each other.

    has_beams: five beams for finals. They lower the word error rate by a few per cent of itself (paper, table
    7) and make decoding on CPU two to three times as slow; on a GPU the cost is small.
    """

    def __init__(self, whisper: WhisperModel, *, has_beams: bool) -> None:
        self.whisper = whisper
        self._has_beams = has_beams
        self._tokenizers: dict[tuple[str, str], Tokenizer] = {}

    @property
    def is_multilingual(self) -> bool:
        return bool(self.whisper.model.is_multilingual)

    @cached_property
    def languages(self) -> frozenset[str]:
        """The codes of the languages for which the model has a token."""
        from faster_whisper.tokenizer import _LANGUAGE_CODES  # Whisper's own list, of all its models

        if not self.is_multilingual:
            return frozenset({"en"})
        token_of = self.whisper.hf_tokenizer.token_to_id
        return frozenset(code for code in _LANGUAGE_CODES if token_of(f"<|{code}|>") is not None)

    def input_of(self, speech: Samples) -> Input:
        """Return the features of at most 30 s of speech, float32[n_samples] at 16 000 Hz."""
        from faster_whisper.audio import pad_or_trim

        features = self.whisper.feature_extractor(speech)[..., :-1]
        return Input(pad_or_trim(features, WINDOW_FRAMES), min(features.shape[-1], WINDOW_FRAMES))

    def run(self, kind: Kind, items: Sequence[Input]) -> list[Heard]:
        """Encode, decode and align windows of one kind, all of them in one call each.

        Raises:
            RuntimeError, MemoryError: the device failed.
        """
        encoded = self.whisper.encode(np.stack([item.features for item in items]))
        languages = self._languages(kind, encoded, len(items))
        if len({language.code for language in languages}) > 1:
            return self._run_apart(kind, items, languages)
        tokenizer = self._tokenizer(languages[0].code, "translate" if kind.is_translated else "transcribe")
        results = self._generated(tokenizer, encoded, kind, len(items))
        tokens = [[token for token in result.sequences_ids[0] if token < tokenizer.eot] for result in results]
        words = [()] * len(items) if kind.is_partial else self._aligned(tokenizer, encoded, tokens, items)
        return [
            Heard(_decoded(tokenizer, *parts), language)
            for language, *parts in zip(languages, results, tokens, words, strict=True)
        ]

    def _languages(self, kind: Kind, encoded: Any, n_items: int) -> list[Language]:
        """Return the given language, else the result of the decoder's first step, which costs very little."""
        if kind.language is not None:
            return [Language(kind.language, 1.0)] * n_items
        found = self.whisper.model.detect_language(encoded)
        return [Language(likeliest[0][0][2:-2], likeliest[0][1]) for likeliest in found]

    def _run_apart(self, kind: Kind, items: Sequence[Input], languages: list[Language]) -> list[Heard]:
        """Encode windows whose languages differ once more, those of one language together."""
        heard: dict[int, Heard] = {}
        for code in {language.code for language in languages}:
            members = [i for i, language in enumerate(languages) if language.code == code]
            results = self.run(replace(kind, language=code), [items[i] for i in members])
            heard |= {i: Heard(r.decoded, languages[i]) for i, r in zip(members, results, strict=True)}
        return [heard[i] for i in range(len(items))]

    def _tokenizer(self, language: str, task: str) -> Tokenizer:
        from faster_whisper.tokenizer import Tokenizer

        if (language, task) not in self._tokenizers:
            self._tokenizers[language, task] = Tokenizer(
                self.whisper.hf_tokenizer, self.is_multilingual, task=task, language=language
            )
        return self._tokenizers[language, task]

    def _generated(self, tokenizer: Tokenizer, encoded: Any, kind: Kind, n_items: int) -> list[Any]:
        from faster_whisper.transcribe import get_suppressed_tokens

        prompt = self.whisper.get_prompt(tokenizer, [], without_timestamps=True, hotwords=kind.hot_words)
        generated: list[Any] = self.whisper.model.generate(
            encoded,
            [prompt] * n_items,
            max_length=self.whisper.max_length,
            suppress_blank=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            return_scores=True,
            return_no_speech_prob=True,
            **self._search(kind),
        )
        return generated

    def _search(self, kind: Kind) -> dict[str, Any]:
        if kind.temperature > 0:
            return {
                "beam_size": 1,
                "num_hypotheses": RETRY_SAMPLES,
                "sampling_topk": 0,
                "sampling_temperature": kind.temperature,
            }
        # A caption is replaced before a reader could see what beams gain.
        return {"beam_size": 5 if self._has_beams and not kind.is_partial else 1}

    def _aligned(
        self, tokenizer: Tokenizer, encoded: Any, tokens: list[list[int]], items: Sequence[Input]
    ) -> list[tuple[Word, ...]]:
        """Return the words of each window, timed by the decoder's attention to the audio."""
        from faster_whisper.transcribe import merge_punctuations

        n_frames = [item.n_frames for item in items]
        alignments = self.whisper.find_alignment(tokenizer, tokens, encoded, n_frames)
        for alignment in alignments:
            merge_punctuations(alignment, PREPENDED, APPENDED)
        return [
            shortened([_word(timing) for timing in alignment if timing["word"]]) for alignment in alignments
        ]


def _decoded(tokenizer: Tokenizer, generated: Any, tokens: list[int], words: tuple[Word, ...]) -> Decoded:
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
