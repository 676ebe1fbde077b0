"""Groq: OpenAI's audio API at its own address; its voices answer WAV, 200 characters at a time.

Source: Groq, documentation, "Speech to Text" and "Text to Speech".
"""

from __future__ import annotations

from collections.abc import Iterator

from voice.engines.cloud.synthesis import vendor_name
from voice.engines.cloud.vendors.openai_compatible import OpenAIRecognition, OpenAISynthesis
from voice.errors import SynthesisFailed
from voice.types import Voice

BASE_URL = "https://api.groq.com/openai/v1"


class GroqRecognition(OpenAIRecognition):
    name = "groq"
    base_url = BASE_URL
    default_model = "whisper-large-v3-turbo"


class GroqSynthesis(OpenAISynthesis):
    """An emotion becomes a vocal direction in brackets, which Orpheus follows and does not speak."""

    name = "groq"
    base_url = BASE_URL
    default_model = "canopylabs/orpheus-v1-english"
    longest_text = 160  # leaves room for a direction
    default_voices = tuple(
        f"{name}@en-US" for name in ("autumn", "diana", "hannah", "austin", "daniel", "troy")
    )

    def _pcm(self, passage: str, voice: Voice, *, speed: float, emotion: str) -> Iterator[bytes]:
        request = {
            "model": self.model,
            "input": f"[{emotion}] {passage}" if emotion else passage,
            "voice": vendor_name(voice),
            "response_format": "wav",
        }
        pieces = self._connection.audio("/audio/speech", refusal=SynthesisFailed, json=request)
        return iter([self._pcm_of_wav(b"".join(pieces))])
