import pytest

from interviews.actions.errors import ActionRefused


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("days: at least one.", ("days", "At least one.")),
        ("email: not an address.", (None, "email: not an address.")),
        ("Nothing was chosen.", (None, "Nothing was chosen.")),
        ("days", (None, "days")),
    ],
)
def test_refusal_is_shown_at_the_field_it_names(detail, expected):
    assert ActionRefused(detail).at({"days"}) == expected
