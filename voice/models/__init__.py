"""The tables of the speech service, one model a file."""

from voice.models.batch import Batch, BatchFile
from voice.models.cloned_voice import ClonedVoice
from voice.models.data_key import DataKey
from voice.models.pending_erasure import PendingErasure
from voice.models.recording import Recording
from voice.models.speech import Speech
from voice.models.transcript import Recognised, Transcript
from voice.models.transcript_version import TranscriptVersion

__all__ = [
    "Batch",
    "BatchFile",
    "ClonedVoice",
    "DataKey",
    "PendingErasure",
    "Recognised",
    "Recording",
    "Speech",
    "Transcript",
    "TranscriptVersion",
]
