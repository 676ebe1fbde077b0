"""Settings for the end of a turn: the silence after which the page asks whether there is anything to add."""

from typing import Final

from interviews.models import Accommodation, InterviewVersion
from voice.live.turn_detection import TurnSettings

Patience = InterviewVersion.Patience

TURN_SETTINGS: Final = {
    Patience.QUICK: TurnSettings(is_semantic=True, question_ms=800, end_silence_ms=2000),
    Patience.NORMAL: TurnSettings(is_semantic=True, question_ms=2000, end_silence_ms=3000),
    Patience.PATIENT: TurnSettings(is_semantic=True, question_ms=4000, end_silence_ms=6000),
}
"""The semantic model runs after `question_ms`. Without a clear result, `end_silence_ms` decides.

Normal never ends a turn at a pause of 1.5 s. Patient never does at 3.5 s, for people who search for words,
speak in a second language or stammer.
"""


ACCOMMODATED: Final = TurnSettings(is_semantic=True, question_ms=6000, end_silence_ms=10_000)
"""For a candidate to whom longer patience was given, whatever the interview says."""


def turn_settings(definition: InterviewVersion, accommodation: Accommodation | None = None) -> TurnSettings:
    """Return the settings for the end of a turn in this interview, with this accommodation."""
    if accommodation is not None and accommodation.is_patient:
        return ACCOMMODATED
    return TURN_SETTINGS[Patience(definition.patience)]
