"""Groq: OpenAI's API below /openai/v1. Source: Groq, "Speech to Text", "Text to Speech"."""

from tests.vendors.openai import OpenAIVendor


class GroqVendor(OpenAIVendor):
    prefix = "/openai/v1"
    stt_models = frozenset({"whisper-large-v3", "whisper-large-v3-turbo"})
    tts_models = frozenset({"canopylabs/orpheus-v1-english"})
    formats = frozenset({"wav"})
    longest_text = 200
