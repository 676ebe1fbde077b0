from itertools import pairwise

import pytest

from interviews.candidate.turn_taking import turn_settings
from interviews.models import Interview

Patience = Interview.Patience


def test_interview_waits_out_a_pause_of_a_second_and_a_half_by_default():
    settings = turn_settings(Interview())

    assert settings.is_semantic
    assert 1500 < settings.question_ms < settings.end_silence_ms


@pytest.mark.parametrize("patience", Patience)
def test_each_patience_has_its_settings(patience):
    assert turn_settings(Interview(patience=patience)).is_semantic


def test_more_patience_is_longer_silence():
    silences = [turn_settings(Interview(patience=patience)) for patience in Patience]

    assert list(Patience) == [Patience.QUICK, Patience.NORMAL, Patience.PATIENT]
    for shorter, longer in pairwise(silences):
        assert shorter.question_ms < longer.question_ms
        assert shorter.end_silence_ms < longer.end_silence_ms
