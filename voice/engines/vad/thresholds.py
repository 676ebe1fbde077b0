"""Which probabilities of voice activity are speech.

Source: snakers4/silero-vad, get_speech_timestamps: threshold 0.5, and 0.15 less to fall silent.
"""

from typing import Final

SPEECH_THRESHOLD: Final = 0.5
"""From here on a frame is speech."""
SILENCE_THRESHOLD: Final = 0.35
"""Below it a frame is silence; between the two it is like the one before."""
