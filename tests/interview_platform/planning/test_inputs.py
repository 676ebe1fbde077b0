"""Files that operators write: an error names the field."""

import pytest

from interview_platform.planning.demand import Plan
from interview_platform.planning.figures import Figures
from interview_platform.planning.inputs import DEFAULTS, BadInput, read
from interview_platform.planning.prices import Prices


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("demand.candidates", 0),
        ("demand.candidates", "many"),
        ("demand.candidate", 5),
        ("demand.hourly", [1, 2]),
        ("demand.hourly", [0] * 24),
        ("interview.speaking_share", 1.5),
        ("interview.answer", {"shortest_s": 9, "usual_s": 5, "longest_s": 7}),
        ("interview.answer.usual_s", float("nan")),
        ("targets.transcript_s", -1),
        ("choices.captions", "perhaps"),
    ],
)
def test_a_wrong_field_is_named(field, value):
    with pytest.raises(BadInput) as refused:
        read(DEFAULTS / "plan.toml", Plan, {field: value})
    assert field in str(refused.value) or f"{field.partition('.')[0]}: " in str(refused.value)


def test_every_wrong_field_is_named_at_once():
    with pytest.raises(BadInput, match=r"core_hour.*spot\.price_share"):
        read(DEFAULTS / "prices.toml", Prices, {"core_hour": -1, "spot.price_share": 2})


def test_a_missing_file_and_text_without_tables_are_told(tmp_path):
    file = tmp_path / "plan.toml"
    with pytest.raises(BadInput, match="No such file"):
        read(file, Plan)
    file.write_text("candidates: 5")
    with pytest.raises(BadInput, match="no TOML"):
        read(file, Plan)


def test_an_engine_that_is_unknown_or_of_the_other_direction_is_refused():
    figures = read(DEFAULTS / "figures.toml", Figures)
    with pytest.raises(BadInput, match=r"choices\.recognition.*piper-cpu.*whisper-base-cpu"):
        figures.engine("piper-cpu", "recognition")
