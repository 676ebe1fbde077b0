"""A Whisper model in memory, with the threads that call it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from voice import metrics
from voice.engines.stt.batching import Batcher
from voice.engines.stt.whisper_decoding import Heard, Input, Kind, WhisperDecoder
from voice.engines.stt.whisper_loading import Place, open_whisper
from voice.engines.stt.whisper_text import REPETITIVE_COMPRESSION
from voice.errors import TransientFailure
from voice.infra.processor import UnstarvedClock
from voice.types import Samples

# The paper tries five temperatures; two bound the time that noise can take, and break most repetition loops.
RETRY_TEMPERATURES: Final = (0.4, 0.8)


@dataclass(frozen=True, slots=True)
class Batching:
    """How windows of several callers go through the model together.

    is_batched: None batches on a GPU only.
    deadline_s: the model takes longer than this for one batch only when it hangs.
    """

    size: int
    wait_ms: float
    is_batched: bool | None
    deadline_s: float


@dataclass(frozen=True, slots=True)
class LoadedWhisper:
    """A model and the threads that call it. Thread-safe."""

    name: str
    device: str
    decoder: WhisperDecoder
    batcher: Batcher[Kind, Input, Heard]
    ahead: int
    """How many windows of one recording wait at a time; more would keep other speakers waiting."""
    deadline_s: float

    @classmethod
    def opened(cls, name: str, place: Place, batching: Batching) -> LoadedWhisper:
        """Load the model `name`.

        Raises:
            EngineUnavailable: it cannot be loaded; `OutOfMemory` where a smaller one might be.
        """
        is_gpu = place.device == "cuda"
        decoder = WhisperDecoder(open_whisper(name, place), has_beams=is_gpu)
        is_batched = is_gpu if batching.is_batched is None else batching.is_batched
        ahead = batching.size if is_batched else 1
        batcher: Batcher[Kind, Input, Heard] = Batcher(
            decoder.run,
            max_items=ahead,
            max_wait_ms=batching.wait_ms if is_batched else 0,
            threads=1 if is_batched else place.workers,
            when_run=metrics.BATCH_SIZE.observe,
            clock=UnstarvedClock().now_s,  # a busy machine makes a model slow, not stuck
            name="whisper",
        )
        return cls(name, place.device, decoder, batcher, ahead, batching.deadline_s)

    @property
    def is_stuck(self) -> bool:
        """Whether a call of the model has not returned for `deadline_s`."""
        return self.batcher.longest_run_s() >= self.deadline_s

    def close(self, timeout_s: float | None = None) -> None:
        """End the threads, after what they hold, and free the memory."""
        self.batcher.close(timeout_s=timeout_s)
        if not self.batcher.longest_run_s():  # CTranslate2 would wait for a call that hangs
            self.decoder.whisper.model.unload_model()

    def decoded(self, kind: Kind, speech: list[Samples]) -> list[Heard]:
        """Transcribe each of the windows `speech`.

        Raises:
            TransientFailure: the model has not returned for `deadline_s`.
            RuntimeError, MemoryError: the device failed.
        """
        inputs = [self.decoder.input_of(samples) for samples in speech]
        first = self._run(kind, inputs)
        if kind.is_partial:  # replaced soon: not worth a second try
            return first
        return [self._best(kind, item, tried) for item, tried in zip(inputs, first, strict=True)]

    def _best(self, kind: Kind, item: Input, first: Heard) -> Heard:
        """`first` if it can be trusted, else the first of the retries that can, else the likeliest of all."""
        attempts = [first]
        for temperature in RETRY_TEMPERATURES:
            if attempts[-1].decoded.verdict != "retry":
                return attempts[-1]
            hotter = replace(kind, language=first.language.code, temperature=temperature)
            attempts += [replace(heard, language=first.language) for heard in self._run(hotter, [item])]
        varied = [heard for heard in attempts if heard.decoded.compression <= REPETITIVE_COMPRESSION]
        return max(varied or attempts, key=lambda heard: heard.decoded.avg_logprob)

    def _run(self, kind: Kind, inputs: list[Input]) -> list[Heard]:
        """Transcribe windows, batched with those of other callers."""
        futures = [self.batcher.submit(kind, item) for item in inputs]
        try:
            return [self.batcher.result_of(future, longest_run_s=self.deadline_s) for future in futures]
        except TimeoutError as error:
            raise TransientFailure(
                f"Whisper {self.name} has not returned for {self.deadline_s:g} s on {self.device}; its "
                "process has to be ended. If the model is only slow, raise ENGINE_DEADLINE_S."
            ) from error
        finally:
            for future in futures:
                future.cancel()  # of those that nobody waits for any more
