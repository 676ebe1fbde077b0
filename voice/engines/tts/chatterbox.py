"""Chatterbox: speech in 23 languages, with its own voice or one cloned from a recording of a few seconds.

    chatterbox = Chatterbox(references=references)
    for chunk in chatterbox.synthesize("Guten Tag.", voice="chatterbox:de#3f2a...", language="de"): ...

A voice's id is "chatterbox:<language>", followed by "#" and the key of a reference recording for a cloned
voice. `voice.speech.cloning` decides earlier which caller may use which key. The model takes seconds to
derive a voice from a recording, so the result is cached: in memory for the voices used last, and beside the
recording for all processes.

All its speech carries the inaudible watermark of its makers. The extra `chatterbox` brings PyTorch
(gigabytes); a GPU is recommended.
"""

from __future__ import annotations

import importlib.util
import io
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from voice.audio.tempo import paced
from voice.engines.base import SteadyEngine, checked_speed, matching_voice
from voice.engines.hub import check_hub
from voice.errors import EngineUnavailable, RequestRefused, SynthesisFailed, VoiceUnavailable
from voice.text.sentences import split_sentences
from voice.types import Samples, SpeechChunk, Voice

if TYPE_CHECKING:
    from chatterbox.mtl_tts import ChatterboxMultilingualTTS, Conditionals

HUB_REPOSITORY: Final = "ResembleAI/chatterbox"
# Source: chatterbox-tts 0.1.7, mtl_tts.py (from_local, SUPPORTED_LANGUAGES; S3GEN_SR in s3gen/const.py)
WEIGHTS: Final = ("ve.pt", "t3_mtl23ls_v2.safetensors", "s3gen.pt", "grapheme_mtl_merged_expanded_v1.json")
_LANGUAGES: Final = "en ar da de el es fi fr he hi it ja ko ms nl no pl pt ru sv sw tr zh"
LANGUAGES: Final = tuple(_LANGUAGES.split())
SAMPLE_RATE_HZ: Final = 24_000

# Liveliness, 0..1; 0.5 is the model's default. Source: resemble-ai/chatterbox, README, Tips.
NEUTRAL: Final = 0.5
LIVELINESS: Final = {
    "calm": 0.3,
    "serious": 0.4,
    "cheerful": 0.65,
    "happy": 0.65,
    "excited": 0.8,
    "angry": 0.8,
}

KEPT_IN_MEMORY: Final = 32
"""Embeddings, of about 1 MB each."""


class References(Protocol):
    """The reference recordings of cloned voices, by key."""

    def sha256(self, key: str) -> str | None:
        """Return the recording's SHA-256; None if there is none (any more)."""

    def recording(self, key: str) -> bytes:
        """Return a WAV or FLAC file."""

    def embedding(self, key: str) -> bytes | None:
        """Return what `keep_embedding` stored."""

    def keep_embedding(self, key: str, embedding: bytes) -> None:
        """Store what was derived from the recording for as long as the recording itself."""


class Chatterbox(SteadyEngine):
    """See the module. Calls run one at a time: the model keeps the voice it speaks with."""

    name = "chatterbox"

    def __init__(
        self,
        model_dir: str = "",
        *,
        device: str = "auto",
        hub_timeout_s: float = 5.0,
        references: References | None = None,
    ) -> None:
        """model_dir: the files of `WEIGHTS`, and conds.pt for its own voice; "" takes them from the hub."""
        self.model = Path(model_dir).name if model_dir else HUB_REPOSITORY
        self.device = device
        self._directory = Path(model_dir) if model_dir else None
        self._hub_timeout_s = hub_timeout_s
        self._references = references
        self._weights: ChatterboxMultilingualTTS | None = None
        self._own_voice: Conditionals | None = None
        self._embeddings: OrderedDict[str, Conditionals] = OrderedDict()  # by the SHA-256 of the recording
        self._lock = threading.Lock()

    def load(self) -> None:
        """Load the weights; further calls return at once.

        Raises:
            EngineUnavailable: the extra is not installed, or the weights are missing and cannot be fetched.
        """
        with self._lock:
            if self._weights is None:
                self._weights = self._opened()
                self._own_voice = self._weights.conds

    def voices(self) -> tuple[Voice, ...]:
        """Return one voice a language if the extra is installed; cloned voices belong to their owners."""
        if importlib.util.find_spec("chatterbox") is None:
            return ()
        return tuple(
            Voice(f"chatterbox:{tag}", tag, f"Chatterbox {tag}", "chatterbox", "neural", SAMPLE_RATE_HZ)
            for tag in LANGUAGES
        )

    def synthesize(
        self, text: str, *, voice: str | None, language: str, speed: float = 1.0, emotion: str | None = None
    ) -> Iterator[SpeechChunk]:
        """See `SynthesisEngine.synthesize`. `emotion`: the words of `LIVELINESS`; others are ignored.

        Raises:
            RequestRefused: no recording has the voice's key.
        """
        self.load()
        chosen = matching_voice(self.voices(), voice=voice, language=language)
        sentences = split_sentences(text, chosen.language)
        if not sentences:
            raise SynthesisFailed("There is no text to speak.")
        liveliness = LIVELINESS.get((emotion or "").lower(), NEUTRAL)
        return self._chunks(chosen, sentences, checked_speed(speed), liveliness)

    def _chunks(
        self, voice: Voice, sentences: list[str], speed: float, liveliness: float
    ) -> Iterator[SpeechChunk]:
        key = voice.id.partition("#")[2]
        for sentence in sentences:
            with self._lock:
                spoken = self._spoken(key, sentence, voice.language, liveliness)
            samples = np.concatenate([*paced(iter([spoken]), rate_hz=SAMPLE_RATE_HZ, speed=speed)])
            if len(samples):
                yield SpeechChunk(samples, SAMPLE_RATE_HZ, sentence)

    def _spoken(self, key: str, sentence: str, language: str, liveliness: float) -> Samples:
        """Return float32[n_samples] at 24 000 Hz."""
        weights = self._weights
        assert weights is not None
        weights.conds = self._voice(weights, key)
        try:
            wave = weights.generate(sentence, language_id=language, exaggeration=liveliness)
        except (RuntimeError, ValueError, OSError) as error:  # PyTorch's, and those of files
            raise SynthesisFailed(
                f"Chatterbox cannot speak this text ({error}); shorten it or choose another voice."
            ) from error
        return np.clip(wave.squeeze(0).numpy(force=True), -1, 1).astype(np.float32)

    def _voice(self, weights: ChatterboxMultilingualTTS, key: str) -> Conditionals:
        """Return the cloned voice, or without a key the model's own."""
        try:
            voice = self._embedding(weights, key) if key else self._own_voice
        except (RuntimeError, ValueError, OSError) as error:  # PyTorch's, and the store's
            raise VoiceUnavailable(
                f"Chatterbox cannot load this voice ({error}); register it again or choose another."
            ) from error
        if voice is None:
            raise VoiceUnavailable(f"{self.model} has no voice of its own (conds.pt); choose a cloned one.")
        return voice

    def _embedding(self, weights: ChatterboxMultilingualTTS, key: str) -> Conditionals:
        """Return the voice from memory, from beside its recording, or computed from the recording."""
        references = self._references
        sha256 = references.sha256(key) if references else None
        if references is None or sha256 is None:
            raise RequestRefused("voice", "there is no such voice; register it again.")
        if sha256 not in self._embeddings:
            kept = references.embedding(key)
            self._embeddings[sha256] = (
                _restored(kept, self.device) if kept else _derived(weights, references, key)
            )
            if len(self._embeddings) > KEPT_IN_MEMORY:
                self._embeddings.popitem(last=False)
        self._embeddings.move_to_end(sha256)
        return self._embeddings[sha256]

    def _opened(self) -> ChatterboxMultilingualTTS:
        multilingual = _multilingual()
        import torch

        if self.device == "auto":
            self.device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            if self._directory is not None:
                self._check_files(self._directory)
                weights: ChatterboxMultilingualTTS = multilingual.from_local(self._directory, self.device)
                return weights
            self._check_hub_unless_cached()
            weights = multilingual.from_pretrained(torch.device(self.device))
        except (RuntimeError, OSError, KeyError, ValueError) as error:
            raise EngineUnavailable(
                f"Chatterbox cannot be loaded on {self.device} ({error}); "
                "check CHATTERBOX_MODEL and CHATTERBOX_DEVICE."
            ) from error
        return weights

    def _check_files(self, directory: Path) -> None:
        if missing := [name for name in WEIGHTS if not (directory / name).is_file()]:
            raise EngineUnavailable(
                f"{directory} lacks {', '.join(missing)}; copy them from {HUB_REPOSITORY}."
            )

    def _check_hub_unless_cached(self) -> None:
        from huggingface_hub import try_to_load_from_cache

        if not all(isinstance(try_to_load_from_cache(HUB_REPOSITORY, name), str) for name in WEIGHTS):
            check_hub(self._hub_timeout_s)


def _multilingual() -> Any:
    try:
        from chatterbox.mtl_tts import ChatterboxMultilingualTTS
    except (ImportError, OSError) as error:  # OSError: PyTorch's libraries do not match each other
        raise EngineUnavailable(
            "Chatterbox, which clones voices, is not installed; install this project with its extra "
            f"[chatterbox] ({error})."
        ) from error
    return ChatterboxMultilingualTTS


def _restored(embedding: bytes, device: str) -> Conditionals:
    from chatterbox.mtl_tts import Conditionals

    return Conditionals.load(io.BytesIO(embedding), map_location=device).to(device)


def _derived(weights: ChatterboxMultilingualTTS, references: References, key: str) -> Conditionals:
    with tempfile.NamedTemporaryFile(suffix=".flac") as file:  # the library accepts only a path
        file.write(references.recording(key))
        file.flush()
        weights.prepare_conditionals(file.name)
    conditionals: Conditionals = weights.conds
    kept = io.BytesIO()
    conditionals.save(kept)
    references.keep_embedding(key, kept.getvalue())
    return conditionals
