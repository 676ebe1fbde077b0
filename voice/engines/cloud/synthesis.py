"""The common part of all cloud voices: choose a voice, limit passages, turn PCM into chunks."""

from __future__ import annotations

import textwrap
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar

import numpy as np

from voice.audio.tempo import paced
from voice.engines.base import SteadyEngine, checked_speed, matching_voice
from voice.engines.cloud.account import CloudAccount
from voice.engines.cloud.connection import Connection, malformed
from voice.errors import AudioRejected, SynthesisFailed
from voice.text.languages import hyphenated
from voice.text.sentences import split_sentences
from voice.types import Samples, SpeechChunk, Voice


class CloudSynthesis(SteadyEngine, ABC):
    """A vendor's voices. Subclasses say how one passage is asked for.

    Chunks are the pieces in which the audio arrives. The first chunk of each passage carries the passage's
    text, the others none, so that the joined texts are the whole text.
    """

    name: str
    device = "cloud"
    rate_hz: ClassVar[int] = 24_000
    longest_text: ClassVar[int]
    """Characters that the vendor accepts in one request."""
    default_voices: ClassVar[tuple[str, ...]]
    has_speed: ClassVar[bool] = False
    """Whether the vendor itself offers any speed of 0.5..2.0; otherwise the audio is stretched here."""

    def __init__(self, account: CloudAccount, *, model: str) -> None:
        self._account = account
        self.model = account.tts_model or model
        self._connection = self._connected()

    def load(self) -> None:
        """Check the key; no request is made.

        Raises:
            EngineUnavailable: the key or a package is missing.
        """
        self._connection.open()

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._connection.close()

    def voices(self) -> tuple[Voice, ...]:
        """Return the configured voices, or a selection of the vendor's; empty without a key."""
        if not self._account.api_key:
            return ()
        return tuple(
            self._voice(entry) for entry in dict.fromkeys(self._account.voices or self.default_voices)
        )

    def synthesize(
        self, text: str, *, voice: str | None, language: str, speed: float = 1.0, emotion: str | None = None
    ) -> Iterator[SpeechChunk]:
        """See `SynthesisEngine.synthesize`."""
        self.load()
        chosen = matching_voice(self._known_voices(), voice=voice, language=language)
        passages = list(_passages(split_sentences(text, chosen.language), self.longest_text))
        if not any(char.isalnum() for char in text):  # only signs: nothing to say, and nothing to pay for
            raise SynthesisFailed("There is no text to speak.")
        return self._chunks(passages, chosen, checked_speed(speed), _word(emotion))

    def _known_voices(self) -> tuple[Voice, ...]:
        """Return `voices()`; raise VoiceError if they could not be listed."""
        return self.voices()

    @abstractmethod
    def _connected(self) -> Connection:
        """Return a connection with the vendor's address and the headers that carry the key."""

    @abstractmethod
    def _pcm(self, passage: str, voice: Voice, *, speed: float, emotion: str) -> Iterator[bytes]:
        """Yield the passage as s16le mono at `rate_hz`, in pieces of any size. emotion: a word, or empty."""

    def _voice(self, entry: str) -> Voice:
        name, _, tag = entry.partition("@")
        return Voice(
            id=f"{self.name}:{entry}",
            language=hyphenated(tag or self._language_in(name)),
            name=name,
            engine=self.name,
            quality="cloud",
            sample_rate_hz=self.rate_hz,
        )

    def _language_in(self, name: str) -> str:
        """Return the language of a voice configured without one."""
        return "en"

    def _chunks(self, passages: list[str], voice: Voice, speed: float, emotion: str) -> Iterator[SpeechChunk]:
        for passage in passages:
            pcm = self._pcm(passage, voice, speed=speed, emotion=emotion)
            pieces = self._samples(pcm)
            text = passage
            for samples in paced(pieces, rate_hz=self.rate_hz, speed=1.0 if self.has_speed else speed):
                if len(samples):
                    yield SpeechChunk(samples, self.rate_hz, text)
                    text = ""
            if text:
                raise SynthesisFailed(f"{self.name} made no sound of this text; choose another voice.")

    def _samples(self, pcm: Iterable[bytes]) -> Iterator[Samples]:
        """Yield float32[n_samples] from s16le pieces that may be cut in the middle of a sample."""
        from voice.audio.pcm import SAMPLE_BYTES, samples_from_s16le

        rest = b""
        for piece in pcm:
            held = rest + piece
            whole = len(held) - len(held) % SAMPLE_BYTES
            rest = held[whole:]
            yield np.asarray(samples_from_s16le(held[:whole]), np.float32)
        if rest:
            raise malformed(self._account)

    def _pcm_of_wav(self, wav: bytes) -> bytes:
        """Return s16le mono at `rate_hz` of a whole file."""
        from voice.audio.decoding import decode
        from voice.audio.pcm import s16le_from_samples

        try:
            return s16le_from_samples(decode(wav, rate_hz=self.rate_hz))
        except AudioRejected:
            raise malformed(self._account) from None


def vendor_name(voice: Voice) -> str:
    """Return the vendor's name of the voice: "alloy" for "openai:alloy@de-DE"."""
    return voice.id.partition(":")[2].partition("@")[0]


def _passages(sentences: Iterable[str], longest: int) -> Iterator[str]:
    """Join `sentences` into passages of at most `longest` characters: fewer passages sound better."""
    passage = ""
    for sentence in sentences:
        for part in textwrap.wrap(sentence, longest, break_on_hyphens=False):
            if passage and len(passage) + 1 + len(part) > longest:
                yield passage
                passage = part
            else:
                passage = f"{passage} {part}".strip()
    if passage:
        yield passage


def _word(emotion: str | None) -> str:
    """Return `emotion` if it is one plain word, because it is put into instructions and markup."""
    word = (emotion or "").strip()
    return word if word.isascii() and word.replace("-", "").isalpha() else ""
