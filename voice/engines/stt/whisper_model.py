"""A Whisper model in memory, with the threads that call it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from voice import metrics
from voice.engines.stt.batching import Batcher
from voice.engines.stt.whisper_contexts import WINDOW_FRAMES, ContextRule, rule_for
from voice.engines.stt.whisper_decoding import Heard, Input, Kind, WhisperDecoder
from voice.engines.stt.whisper_loading import Place, open_whisper
from voice.engines.stt.whisper_text import REPETITIVE_COMPRESSION
from voice.errors import TransientFailure
from voice.infra.processor import UnstarvedClock, behind_s
from voice.types import Samples

# The paper tries five temperatures; two bound the time that noise can take, and break most repetition loops.
RETRY_TEMPERATURES: Final = (0.4, 0.8)
# On CPU nine windows decoded together cost less than half of what each costs alone. More were not measured.
# Source: docs/performance.md, "What Whisper's encoder is shown".
CPU_BATCH_SIZE: Final = 8
# While others are being encoded, an encoded window waits no longer for company.
CPU_GATHER_MS: Final = 400
# Windows of one recording after its first, and captions, let others go first, as if they had come later.
WINDOW_BEHIND_S: Final = 1.0
CAPTION_BEHIND_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Batching:
    """How windows of several callers go through the model together.

    is_batched: True encodes and decodes them together, which suits a GPU; False does each alone. None is
    True on a GPU; on CPU they are then encoded apart and decoded together.
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
    contexts: ContextRule

    @classmethod
    def opened(cls, name: str, place: Place, batching: Batching) -> LoadedWhisper:
        """Load the model `name`.

        Raises:
            EngineUnavailable: it cannot be loaded; `OutOfMemory` where a smaller one might be.
        """
        is_gpu = place.device == "cuda"
        decoder = WhisperDecoder(open_whisper(name, place), has_beams=is_gpu)
        is_apart = batching.is_batched is None and not is_gpu
        is_together = batching.is_batched is not False and not is_apart
        size = min(batching.size, CPU_BATCH_SIZE) if is_apart else batching.size if is_together else 1
        batcher: Batcher[Kind, Input, Heard] = Batcher(
            decoder.run,
            max_items=size,
            max_wait_ms=CPU_GATHER_MS if is_apart else batching.wait_ms if is_together else 0,
            prepare=decoder.encoded if is_apart else None,
            threads=1 if is_together else place.workers,
            when_run=metrics.BATCH_SIZE.observe,
            clock=UnstarvedClock().now_s,  # a busy machine makes a model slow, not stuck
            name="whisper",
        )
        ahead = min(size, place.workers) if is_apart else size
        return cls(name, place.device, decoder, batcher, ahead, batching.deadline_s, rule_for(decoder.width))

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
        kinds = [self._in_context(kind, item) for item in inputs]
        first = self._run(kinds, inputs)
        if kind.is_partial:  # replaced soon: not worth a second try
            return first
        return [self._best(*tried) for tried in zip(kinds, first, strict=True)]

    def _in_context(self, kind: Kind, item: Input) -> Kind:
        return replace(kind, context=self.contexts.context(item.n_frames, is_partial=kind.is_partial))

    def _best(self, kind: Kind, first: Heard) -> Heard:
        """`first` if it can be trusted, else the first of the retries that can, else the likeliest of all."""
        kind, first = self._confirmed(replace(kind, language=first.language.code), first)
        attempts = [first]
        for temperature in RETRY_TEMPERATURES:
            if attempts[-1].decoded.verdict != "retry":
                return attempts[-1]
            attempts.append(self._again(replace(kind, temperature=temperature), first))
        varied = [heard for heard in attempts if heard.decoded.compression <= REPETITIVE_COMPRESSION]
        return max(varied or attempts, key=lambda heard: heard.decoded.avg_logprob)

    def _confirmed(self, kind: Kind, first: Heard) -> tuple[Kind, Heard]:
        """The window heard in 30 s where its own context gave a doubtful result, and the kind of that."""
        is_doubtful = kind.context < WINDOW_FRAMES and first.decoded.is_doubtful(first.item.length_s)
        metrics.WHISPER_WINDOWS.labels(context=_outcome(kind, is_doubtful=is_doubtful)).inc()
        if not is_doubtful:
            return kind, first
        kind = replace(kind, context=WINDOW_FRAMES)
        return kind, self._again(kind, replace(first, item=replace(first.item, encoded=None)))

    def _again(self, kind: Kind, first: Heard) -> Heard:
        """Decode the window of `first` once more; it keeps its language."""
        return replace(self._run([kind], [first.item])[0], language=first.language)

    def _run(self, kinds: list[Kind], inputs: list[Input]) -> list[Heard]:
        """Transcribe windows, batched with those of other callers."""
        futures = [
            self.batcher.submit(
                kind,
                item,
                behind_s=behind_s() + WINDOW_BEHIND_S * place + CAPTION_BEHIND_S * kind.is_partial,
                is_prepared=item.encoded is not None,
            )
            for place, (kind, item) in enumerate(zip(kinds, inputs, strict=True))
        ]
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


def _outcome(kind: Kind, *, is_doubtful: bool) -> str:
    if is_doubtful:
        return "short_then_full"
    return "short" if kind.context < WINDOW_FRAMES else "full"
