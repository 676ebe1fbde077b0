"""Speaker diarization by sherpa-onnx (extra "diarization"): a segmentation and an embedding model in ONNX.

The library brings no models; their paths are configured. Suitable are pyannote's segmentation 3.0 as
sherpa-onnx exports it, and any of its speaker embedding models (WeSpeaker, 3D-Speaker, NeMo); see
docs/adr/0010.

    diarizer = Diarizer("segmentation.onnx", "embedding.onnx")
    diarizer.load()                    # EngineUnavailable says what to do
    diarizer.turns(samples)            # (SpeakerTurn(0, 0.0, 3.2), SpeakerTurn(1, 3.4, 5.0))
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from voice.audio.pcm import checked_samples
from voice.engines.onnx_models import one_thread_session
from voice.errors import AudioRejected, EngineUnavailable
from voice.types import RECOGNITION_RATE_HZ, Samples, SpeakerTurn

if TYPE_CHECKING:
    import sherpa_onnx

SPEAKERS_LIMIT: Final = 20

# Two turns of a speaker with a shorter silence between them are joined; shorter turns are dropped. Source:
# defaults of sherpa-onnx and pyannote.audio's pipeline.
TURN_MIN_S: Final = 0.3
PAUSE_MIN_S: Final = 0.5
# Above this cosine distance two stretches belong to two people. Source: sherpa-onnx, its diarization
# examples.
SPEAKER_DISTANCE: Final = 0.5
# In a recording of one window (10 s) the library does not compare voices and ignores the number of speakers.
SHORTEST_SAMPLES: Final = 12 * RECOGNITION_RATE_HZ

# sherpa-onnx ends the whole process when one of these is missing, so they are checked first. Source:
# sherpa-onnx, offline-speaker-segmentation-pyannote-model.cc, speaker-embedding-extractor-*.cc.
_SEGMENTATION_KEYS: Final = (
    *("sample_rate", "window_size", "receptive_field_size", "receptive_field_shift"),
    *("num_speakers", "powerset_max_classes", "num_classes"),
)
_EMBEDDING_KEYS: Final = ("framework", "sample_rate", "output_dim")


class Diarizer:
    """The two models of a process. Thread-safe: one file at a time."""

    def __init__(self, segmentation_model: str, embedding_model: str, *, threads: int = 1) -> None:
        """segmentation_model, embedding_model: paths of ONNX files; "" for none."""
        self._paths = {
            "DIARIZATION_SEGMENTATION_MODEL": segmentation_model,
            "DIARIZATION_EMBEDDING_MODEL": embedding_model,
        }
        self._threads = threads
        self._pipeline: sherpa_onnx.OfflineSpeakerDiarization | None = None
        self._lock = threading.Lock()

    def load(self) -> None:
        """Load the models; further calls return at once.

        Raises:
            EngineUnavailable: the library or a model is missing, or a file is not such a model.
        """
        with self._lock:
            self._load()

    def turns(self, samples: Samples, *, speakers: int | None = None) -> tuple[SpeakerTurn, ...]:
        """The turns in `samples` (float32[n_samples], mono, 16 000 Hz) by start; none in silence.

        speakers: how many people talk, 1..20; None estimates it.

        Raises:
            AudioRejected: not mono floats, not finite, far out of range; or `speakers` is outside 1..20.
            EngineUnavailable: see `load`.
        """
        if speakers is not None and not 1 <= speakers <= SPEAKERS_LIMIT:
            raise AudioRejected(f"{speakers} speakers cannot be told apart; choose 1 to {SPEAKERS_LIMIT}.")
        samples = checked_samples(samples)
        with self._lock:
            pipeline = self._load()
            if not len(samples):
                return ()
            pipeline.set_config(self._config(speakers))
            padded = np.pad(samples, (0, max(0, SHORTEST_SAMPLES - len(samples))))
            found = pipeline.process(padded).sort_by_start_time()
            return _in_order([(turn.speaker, turn.start, turn.end) for turn in found])

    def _load(self) -> sherpa_onnx.OfflineSpeakerDiarization:
        if self._pipeline is None:
            self._pipeline = self._made()
        return self._pipeline

    def _made(self) -> sherpa_onnx.OfflineSpeakerDiarization:
        for setting, path in self._paths.items():
            if not path:
                raise EngineUnavailable(
                    f"Speakers cannot be told apart: set {setting} to an ONNX file; see docs/adr/0010."
                )
            if not Path(path).is_file():
                raise EngineUnavailable(f"{setting} names {path}, which is no file; correct it.")
        try:
            import sherpa_onnx
        except ImportError as error:
            raise EngineUnavailable(
                "Speakers cannot be told apart: install this project with its extra [diarization]."
            ) from error
        for path, keys in zip(self._paths.values(), (_SEGMENTATION_KEYS, _EMBEDDING_KEYS), strict=True):
            _check_metadata(path, keys)
        try:
            return sherpa_onnx.OfflineSpeakerDiarization(self._config(None))
        except RuntimeError as error:
            raise EngineUnavailable(f"The diarization models cannot be loaded ({error}).") from error

    def _config(self, speakers: int | None) -> sherpa_onnx.OfflineSpeakerDiarizationConfig:
        import sherpa_onnx

        segmentation, embedding = self._paths.values()
        return sherpa_onnx.OfflineSpeakerDiarizationConfig(
            segmentation=sherpa_onnx.OfflineSpeakerSegmentationModelConfig(
                pyannote=sherpa_onnx.OfflineSpeakerSegmentationPyannoteModelConfig(model=segmentation),
                num_threads=self._threads,
            ),
            embedding=sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=embedding, num_threads=self._threads),
            clustering=sherpa_onnx.FastClusteringConfig(
                num_clusters=-1 if speakers is None else speakers, threshold=SPEAKER_DISTANCE
            ),
            min_duration_on=TURN_MIN_S,
            min_duration_off=PAUSE_MIN_S,
        )


def _check_metadata(path: str, keys: tuple[str, ...]) -> None:
    given = one_thread_session(path).get_modelmeta().custom_metadata_map
    if missing := [key for key in keys if key not in given]:
        raise EngineUnavailable(
            f"{path} is no such model for sherpa-onnx ({', '.join(missing)} missing); see docs/adr/0010."
        )


def _in_order(found: list[tuple[int, float, float]]) -> tuple[SpeakerTurn, ...]:
    """Turns whose speakers are numbered by first appearance."""
    numbers: dict[int, int] = {}
    return tuple(
        SpeakerTurn(numbers.setdefault(speaker, len(numbers)), start_s, end_s)
        for speaker, start_s, end_s in found
    )
