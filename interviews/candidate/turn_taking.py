"""How long a candidate may be silent before the page asks whether there is anything to add."""

from typing import Final

from interviews.models import Interview
from voice.live.turn_detection import TurnSettings

Patience = Interview.Patience

TURN_SETTINGS: Final = {
    Patience.QUICK: TurnSettings(is_semantic=True, question_ms=800, end_silence_ms=2000),
    Patience.NORMAL: TurnSettings(is_semantic=True, question_ms=2000, end_silence_ms=3000),
    Patience.PATIENT: TurnSettings(is_semantic=True, question_ms=4000, end_silence_ms=6000),
}
"""The semantic model is asked after `question_ms`; where it is missing or undecided `end_silence_ms` count.

Normal: a pause of 1.5 s is never taken for an end. Patient: nor is one of 3.5 s, for people who search for
words, speak in a second language or stammer.
"""


def turn_settings(interview: Interview) -> TurnSettings:
    """What counts as the end of an answer in this interview."""
    return TURN_SETTINGS[Patience(interview.patience)]
