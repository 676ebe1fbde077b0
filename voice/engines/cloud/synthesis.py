"""What all cloud voices have in common: the choice of a voice, passages within a limit, PCM into chunks."""

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
from voice.text.sentences import split_sentences
from voice.types import Samples, SpeechChunk, Voice


class CloudSynthesis(SteadyEngine, ABC):
    """A vendor's voices.  Subclasses say how one passage is asked for.

    Chunks are the pieces in which the sound arrives; the first of each passage carries the passage's
    text, the others none, so that the texts joined are the whole text.
    """

    name: str
    device = "cloud"
    rate_hz: ClassVar[int] = 24_000
    longest_text: ClassVar[int]
    """Characters the vendor takes in one request."""
    default_voices: ClassVar[tuple[str, ...]]
    has_speed: ClassVar[bool] = False
    """Whether the vendor itself speaks at any speed of 0.5..2.0; otherwise the sound is stretched here."""

    def __init__(self, account: CloudAccount, *, model: str) -> None:
        self._account = account
        self.model = account.tts_model or model
        self._connection = self._connected()

    def load(self) -> None:
        """Check the key; calls nobody.

        Raises:
            EngineUnavailable: the key or a package is missing.
        """
        self._connection.open()

    def close(self) -> None:
        """End the connections; the next call makes new ones."""
        self._connection.close()

    def voices(self) -> tuple[Voice, ...]:
        """The configured voices, or a choice of the vendor's; empty without a key."""
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
        passages = list(_passages(split_sentences(text), self.longest_text))
        if not any(char.isalnum() for char in text):  # signs alone: nothing to say, and nothing to pay for
            raise SynthesisFailed("There is no text to speak.")
        return self._chunks(passages, chosen, checked_speed(speed), _word(emotion))

    def _known_voices(self) -> tuple[Voice, ...]:
        """`voices()`; raises VoiceError where they could not be had."""
        return self.voices()

    @abstractmethod
    def _connected(self) -> Connection:
        """The vendor's address and the headers that carry the key."""

    @abstractmethod
    def _pcm(self, passage: str, voice: Voice, *, speed: float, emotion: str) -> Iterator[bytes]:
        """The passage as s16le mono at `rate_hz`, in pieces of any size.  emotion: one word, or empty."""

    def _voice(self, entry: str) -> Voice:
        name, _, tag = entry.partition("@")
        return Voice(
            id=f"{self.name}:{entry}",
            language=(tag or self._language_in(name)).replace("_", "-"),
            name=name,
            engine=self.name,
            quality="cloud",
            sample_rate_hz=self.rate_hz,
        )

    def _language_in(self, name: str) -> str:
        """The language of a voice configured without one."""
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
        """float32[n_samples] of s16le pieces that may be cut in the middle of a sample."""
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
        """s16le mono at `rate_hz` of a whole file."""
        from voice.audio.decoding import decode
        from voice.audio.pcm import s16le_from_samples

        try:
            return s16le_from_samples(decode(wav, rate_hz=self.rate_hz))
        except AudioRejected:
            raise malformed(self._account) from None


def vendor_name(voice: Voice) -> str:
    """The voice as the vendor calls it: "openai:alloy@de-DE" is "alloy"."""
    return voice.id.partition(":")[2].partition("@")[0]


def _passages(sentences: Iterable[str], longest: int) -> Iterator[str]:
    """`sentences` joined into passages of at most `longest` characters: the fewer, the better the melody."""
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
    """`emotion`, if it is one plain word; it travels inside instructions and markup."""
    word = (emotion or "").strip()
    return word if word.isascii() and word.replace("-", "").isalpha() else ""
