from itertools import pairwise

import pytest

from interviews.candidate.turn_taking import ACCOMMODATED, turn_settings
from interviews.models import Accommodation, Interview

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


def test_longer_patience_of_a_candidate_is_longer_than_that_of_any_interview():
    given = turn_settings(Interview(patience=Patience.PATIENT), Accommodation(is_patient=True))
    assert given is ACCOMMODATED
    assert given.end_silence_ms > turn_settings(Interview(patience=Patience.PATIENT)).end_silence_ms
    assert turn_settings(Interview(), Accommodation(is_patient=False)) == turn_settings(Interview())
