import pytest

from interviews.queries.reliability import RELIABLE_FROM, is_reliable
from voice.models import Transcript


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"confidence": RELIABLE_FROM}, True),
        ({"confidence": RELIABLE_FROM - 0.001}, False),
        ({"confidence": None}, False),
        ({"confidence": 0.9, "text": ""}, False),
        ({"confidence": 0.9, "status": "waiting"}, False),
        ({"confidence": 0.9, "status": "failed"}, False),
    ],
)
def test_transcript_is_reliable_from_a_mean_confidence_on(fields, expected):
    assert is_reliable(Transcript(**{"status": "done", "text": "I did."} | fields)) is expected


def test_missing_transcript_is_not_reliable():
    assert not is_reliable(None)
