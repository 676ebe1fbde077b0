"""Accent colours can be read in both themes, whichever is chosen."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import colours
from tests.conftest import ROOT

COLOURS = st.tuples(*[st.integers(0, 255)] * 3).map(lambda rgb: "#{:02x}{:02x}{:02x}".format(*rgb))
STYLES = ROOT / "interviews" / "static" / "interviews" / "base.css"


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48), ("#0b6e4f", "#0b6e4f", 1)],
)
def test_contrast_is_that_of_the_guidelines(first, second, ratio):
    assert colours.contrast(first, second) == pytest.approx(ratio, abs=0.01)
    assert colours.contrast(second, first) == colours.contrast(first, second)


@given(COLOURS)
def test_every_colour_has_a_form_that_can_be_read_in_each_theme(colour):
    light, dark = colours.in_light(colour), colours.in_dark(colour)
    assert min(colours.contrast(light, paper) for paper in colours.LIGHT_PAPERS) >= colours.MIN_CONTRAST
    assert min(colours.contrast(dark, paper) for paper in colours.DARK_PAPERS) >= colours.MIN_CONTRAST
    assert colours.in_light(light) == light, "what is offered is taken"


def test_colour_that_can_be_read_stays_and_another_keeps_its_hue():
    assert colours.in_light("#0B6E4F") == "#0b6e4f"
    red, green, blue = (int(colours.in_light("#ffd400")[at : at + 2], 16) for at in (1, 3, 5))
    assert red > green > blue


def test_backgrounds_are_those_of_the_candidates_pages():
    light, dark = STYLES.read_text().split("@media (prefers-color-scheme: dark)", 1)
    found = [
        tuple(re.search(rf"--{name}: (#\w+);", part)[1] for name in ("paper", "surface"))
        for part in (light, dark)
    ]
    assert found == [colours.LIGHT_PAPERS, colours.DARK_PAPERS]
    standard = re.search(r"--accent: (#\w+);", light)[1]
    assert colours.in_light(standard) == standard
    assert f"--accent-in-dark: {colours.in_dark(standard)};" in light
