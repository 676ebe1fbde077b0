"""Decode windows of speech with a loaded Whisper: one call of CTranslate2 for a whole batch of them.

On CPU windows are encoded one by one and decoded together: eight at once cost the encoder twice as much as
one by one, and the decoder half (docs/performance.md). A GPU gains from both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from voice.engines.stt.whisper_contexts import FRAMES_A_SECOND, STEP_FRAMES, WINDOW_FRAMES
from voice.engines.stt.whisper_text import Decoded, shortened
from voice.types import Samples, Word

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

RETRY_SAMPLES: Final = 5
SECONDS_A_TIME: Final = 0.02
"""Between two of Whisper's timestamp tokens."""

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
    context: int = WINDOW_FRAMES
    """Frames of 10 ms that the encoder is shown: the window, and then nothing."""

    @property
    def has_timestamps(self) -> bool:
        """Whether the decoder writes when it heard what.

        In a short context it loops without them. At 30 s it would leave out what is cut off at the end.
        """
        return self.context < WINDOW_FRAMES


@dataclass(frozen=True, slots=True)
class Language:
    """A language by Whisper's code, and how likely it is (1.0 if it was given)."""

    code: str
    probability: float


@dataclass(frozen=True, slots=True)
class Input:
    """A window in the form that Whisper takes."""

    features: npt.NDArray[np.float32]
    """float32[mel bins, n frames of 10 ms], at most 3000"""
    encoded: Any = None
    """CTranslate2's output of the encoder for this window alone, once it is there."""
    language: Language | None = None
    """Found while it was encoded."""

    @property
    def n_frames(self) -> int:
        return int(self.features.shape[-1])

    @property
    def length_s(self) -> float:
        return self.n_frames / FRAMES_A_SECOND

    def shown(self, context: int) -> npt.NDArray[np.float32]:
        """Return float32[mel bins, context]: the features, then silence as Whisper was trained on it."""
        missing = max(0, context - self.n_frames)
        return np.pad(self.features, ((0, 0), (0, missing)), constant_values=self.features.min())


@dataclass(frozen=True, slots=True)
class Heard:
    """The decoding of one window, its language, and the window as it was decoded."""

    decoded: Decoded
    language: Language
    item: Input


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
    def width(self) -> int:
        """The size of the encoder's output for each 20 ms, by which the sizes of Whisper differ."""
        n_mels = len(self.whisper.feature_extractor.mel_filters)
        return int(self.whisper.encode(np.zeros((n_mels, STEP_FRAMES), np.float32)).shape[-1])

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
        return Input(self.whisper.feature_extractor(speech)[..., :-1][..., :WINDOW_FRAMES])

    def encoded(self, kind: Kind, item: Input) -> tuple[Kind, Input]:
        """Encode one window, and detect its language if it is not given.

        Raises:
            RuntimeError, MemoryError: the device failed.
        """
        encoded = self._encoded(kind, [item])
        language = self._languages(kind, encoded, [item])[0]
        return replace(kind, language=language.code), replace(item, encoded=encoded, language=language)

    def run(self, kind: Kind, items: Sequence[Input]) -> list[Heard]:
        """Encode what is not encoded yet; decode and align windows of one kind, all of them in one call each.

        Raises:
            RuntimeError, MemoryError: the device failed.
        """
        encoded = self._joined(items) if items[0].encoded is not None else self._encoded(kind, items)
        languages = self._languages(kind, encoded, items)
        if len({language.code for language in languages}) > 1:
            return self._run_apart(kind, items, languages)
        tokenizer = self._tokenizer(languages[0].code, "translate" if kind.is_translated else "transcribe")
        results = self._generated(tokenizer, encoded, kind, len(items))
        tokens = [[token for token in result.sequences_ids[0] if token < tokenizer.eot] for result in results]
        words = [()] * len(items) if kind.is_partial else self._aligned(tokenizer, encoded, tokens, items)
        return [
            Heard(_decoded(tokenizer, self._longest(kind), *parts), language, item)
            for item, language, *parts in zip(items, languages, results, tokens, words, strict=True)
        ]

    def _encoded(self, kind: Kind, items: Sequence[Input]) -> Any:
        return self.whisper.encode(np.stack([item.shown(kind.context) for item in items]))

    def _joined(self, items: Sequence[Input]) -> Any:
        """The encoders' outputs of `items`, of one context, as one batch."""
        import ctranslate2

        if len(items) == 1:
            return items[0].encoded
        float32 = ctranslate2.DataType.float32  # numpy knows no bfloat16; the decoder converts it back
        outputs = [np.asarray(item.encoded.to(float32)) for item in items]
        return ctranslate2.StorageView.from_array(np.concatenate(outputs))

    def _languages(self, kind: Kind, encoded: Any, items: Sequence[Input]) -> list[Language]:
        """Return the given language, else the result of the decoder's first step, which costs very little."""
        if kind.language is not None:
            return [item.language or Language(kind.language, 1.0) for item in items]
        found = self.whisper.model.detect_language(encoded)
        return [Language(likeliest[0][0][2:-2], likeliest[0][1]) for likeliest in found]

    def _run_apart(self, kind: Kind, items: Sequence[Input], languages: list[Language]) -> list[Heard]:
        """Encode windows whose languages differ once more, those of one language together."""
        heard: dict[int, Heard] = {}
        for code in {language.code for language in languages}:
            members = [i for i, language in enumerate(languages) if language.code == code]
            results = self.run(replace(kind, language=code), [items[i] for i in members])
            heard |= {i: replace(r, language=languages[i]) for i, r in zip(members, results, strict=True)}
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

        prompt = self.whisper.get_prompt(
            tokenizer, [], without_timestamps=not kind.has_timestamps, hotwords=kind.hot_words
        )
        generated: list[Any] = self.whisper.model.generate(
            encoded,
            [prompt] * n_items,
            max_length=2
            * self._longest(kind),  # CTranslate2 takes half of it, for the prompt may need the rest
            suppress_blank=True,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            return_scores=True,
            return_no_speech_prob=True,
            **self._search(kind),
        )
        return generated

    def _longest(self, kind: Kind) -> int:
        """Tokens after which a decoding is cut off, so that a loop in a short context delays others less."""
        longest: int = self.whisper.max_length // 2
        return longest // 2 if kind.context <= WINDOW_FRAMES // 2 else longest

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
        """Return the words of each window, timed by the decoder's attention to the audio.

        Windows that were encoded apart are aligned apart too: on CPU nine together cost 1.6 times as much.
        """
        if len(items) == 1 or items[0].encoded is None:
            return self._words(tokenizer, encoded, tokens, items)
        return [
            self._words(tokenizer, item.encoded, [of_item], [item])[0]
            for of_item, item in zip(tokens, items, strict=True)
        ]

    def _words(
        self, tokenizer: Tokenizer, encoded: Any, tokens: list[list[int]], items: Sequence[Input]
    ) -> list[tuple[Word, ...]]:
        from faster_whisper.transcribe import merge_punctuations

        n_frames = [item.n_frames for item in items]
        alignments = self.whisper.find_alignment(tokenizer, tokens, encoded, n_frames)
        for alignment in alignments:
            merge_punctuations(alignment, PREPENDED, APPENDED)
        return [
            shortened([_word(timing) for timing in alignment if timing["word"]]) for alignment in alignments
        ]


def _decoded(
    tokenizer: Tokenizer, longest: int, generated: Any, tokens: list[int], words: tuple[Word, ...]
) -> Decoded:
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
        end_s=_end_s(tokenizer, generated.sequences_ids[0]),
        is_cut_off=n_tokens >= longest,
    )


def _end_s(tokenizer: Tokenizer, tokens: list[int]) -> float | None:
    """Where the decoder says that speech ends; None where it ends with a word."""
    steps = tokens[-1] - tokenizer.timestamp_begin if tokens else -1
    return steps * SECONDS_A_TIME if steps >= 0 else None


def _word(timing: dict[str, Any]) -> Word:
    confidence = min(1.0, max(0.0, float(timing["probability"])))
    return Word(timing["word"], float(timing["start"]), float(timing["end"]), confidence)
