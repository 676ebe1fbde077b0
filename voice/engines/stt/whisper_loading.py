"""Find and open a Whisper model, and choose a smaller one when memory runs out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from voice.engines.hub import cached_or_fetched
from voice.engines.weights import whisper_of_packages
from voice.errors import EngineUnavailable

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

MODEL_FILES: Final = ("config.json", "model.bin", "tokenizer.json")

# Each has about a third of the weights of the one before. Source: openai/whisper, README, Available models.
SIZES: Final = ("large-v3", "medium", "small", "base", "tiny")
# By weights: large-v3-turbo and distil-large have as many as medium, distil-medium about as many as small, …
_RANKS: Final = {"large": 0, "turbo": 1, "distil-large": 1, "distil-medium": 2, "distil-small": 3} | {
    size: rank for rank, size in enumerate(SIZES)
}
_SIZE: Final = re.compile(
    r"(?:.*/)?(?:faster-)?(?P<distil>distil-)?(?:whisper-)?"
    r"(?P<size>large|medium|small|base|tiny|turbo)(?P<version>[-\w.]*?)(?P<english>\.en)?(?:-ct2)?"
)


class OutOfMemory(EngineUnavailable):
    """The model does not fit into the remaining memory; a smaller one may."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how a model is opened.

    device: "cpu" or "cuda". compute_type: "" is int8 on CPU and float16 on a GPU.
    workers: how many calls run at a time, each on one thread, over one set of weights.
    models_dir: cache for downloads; None is the hub client's own.
    """

    device: str
    compute_type: str
    workers: int
    models_dir: str | None
    hub_timeout_s: float


def device_of(device: str) -> str:
    """Return "cuda" for "auto" if CTranslate2 sees a GPU, else "cpu"; other names are unchanged."""
    if device != "auto":
        return device
    import ctranslate2

    return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"


def open_whisper(model: str, place: Place) -> WhisperModel:
    """Open the model of a directory, a size ("base") or a hub name, fetched if it is not on this machine.

    Raises:
        OutOfMemory: it does not fit.
        EngineUnavailable: no such model, the hub does not answer in time, or no such device.
    """
    directory = _directory(model, place)
    from faster_whisper import WhisperModel

    is_gpu = place.device == "cuda"
    try:
        return WhisperModel(
            directory,
            device=place.device,
            compute_type=place.compute_type or ("float16" if is_gpu else "int8"),
            cpu_threads=1,  # calls run side by side instead: measured as the faster way on CPU
            num_workers=1 if is_gpu else place.workers,
        )
    except (RuntimeError, ValueError, MemoryError) as error:
        kind = OutOfMemory if is_out_of_memory(error) else EngineUnavailable
        raise kind(
            f"Whisper {model} cannot be loaded on {place.device} ({error}); "
            "choose a smaller WHISPER_MODEL, or another WHISPER_DEVICE or WHISPER_COMPUTE_TYPE."
        ) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether CTranslate2 ran out of memory, of the GPU or of the machine."""
    # CTranslate2 passes on the messages of the CUDA runtime and of cuBLAS; std::bad_alloc becomes
    # MemoryError.
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "alloc_failed" in text


def smaller_models(model: str, listed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the models to try when `model` does not fit, largest first.

    listed: the operator's own order (WHISPER_SMALLER_MODELS); those after `model` count. Without it a size or
    hub name continues down Whisper's sizes, English-only ones to English-only ones, and a directory has no
    successors.
    """
    if listed:
        return listed[listed.index(model) + 1 :] if model in listed else listed
    found = None if Path(model).expanduser().is_dir() else _SIZE.fullmatch(model)
    if not found:
        return ()
    size = "turbo" if "turbo" in found["version"] else (found["distil"] or "") + found["size"]
    return tuple(f"{name}{found['english'] or ''}" for name in SIZES[_RANKS[size] + 1 :])


def _directory(model: str, place: Place) -> str:
    path = Path(model).expanduser()
    if path.is_dir():
        if missing := [name for name in MODEL_FILES if not (path / name).is_file()]:
            raise EngineUnavailable(f"{path} lacks {', '.join(missing)}; it is no converted Whisper model.")
        return str(path)
    if path.is_absolute() or model.startswith("."):
        raise EngineUnavailable(
            f"There is no directory {path}; set WHISPER_MODEL to one, or to a name such as base."
        )
    if of_packages := whisper_of_packages(model, Path(place.models_dir)) if place.models_dir else None:
        return str(of_packages)
    return cached_or_fetched(
        lambda is_local_only: _snapshot(model, place, is_local_only),
        name=f"Whisper {model}",
        timeout_s=place.hub_timeout_s,
    )


def _snapshot(model: str, place: Place, is_local_only: bool) -> str:
    from huggingface_hub.errors import HFValidationError

    try:
        from faster_whisper.utils import download_model
    except ImportError as error:
        raise EngineUnavailable("The Python package 'faster-whisper' is missing; install it.") from error
    try:
        return str(download_model(model, local_files_only=is_local_only, cache_dir=place.models_dir))
    except HFValidationError as error:
        raise EngineUnavailable(f"{model!r} is no name of a model; set WHISPER_MODEL to one.") from error
    except ValueError as error:  # faster-whisper does not know the size; its message names those it knows
        raise EngineUnavailable(f"WHISPER_MODEL: {error}") from error
