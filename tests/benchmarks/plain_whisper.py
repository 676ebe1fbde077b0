"""Plain faster-whisper in the ways in which it is used on two cores."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from voice.types import Samples

PLAIN_USES: Final[Mapping[str, Mapping[str, Any]]] = {
    "two workers of one thread": {"threads": 1, "workers": 2},
    "one worker of two threads": {"threads": 2, "workers": 1},
    "batched pipeline": {"threads": 2, "workers": 1, "is_pipeline": True},
}


class Plain:
    """One model. Voice activity and the times of words as ours, and a beam of one."""

    def __init__(self, directory: Path, *, threads: int, workers: int, is_pipeline: bool = False) -> None:
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        model = WhisperModel(
            str(directory), device="cpu", compute_type="int8", cpu_threads=threads, num_workers=workers
        )
        self._transcribe = (BatchedInferencePipeline(model) if is_pipeline else model).transcribe
        self._workers = workers

    def __call__(self, pieces: Sequence[Samples]) -> list[str]:
        """Return the text of each piece; as many are under way as there are workers."""
        with ThreadPoolExecutor(self._workers) as threads:
            return list(threads.map(self._text, pieces))

    def _text(self, samples: Samples) -> str:
        segments, _ = self._transcribe(
            samples, language="en", beam_size=1, word_timestamps=True, vad_filter=True
        )
        return "".join(segment.text for segment in segments)
