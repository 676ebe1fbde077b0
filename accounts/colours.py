"""Whether an accent colour can be read, and the nearest one that can.

    colours.in_light("#ffd400")     # "#8a7200": as text on the candidate's pages, and under white letters
    colours.in_dark("#0b6e4f")      # a lighter one of the same hue

No colour has enough contrast with both white and black paper. So an organisation chooses the one of the light
theme, and the dark theme gets a lighter form of it.
"""

from functools import lru_cache
from typing import Final

MIN_CONTRAST: Final = 4.5
"""Source: WCAG 2.2, 1.4.3."""
LIGHT_PAPERS: Final = ("#fbfaf7", "#ffffff")
DARK_PAPERS: Final = ("#14191b", "#1c2326")
"""The backgrounds of interviews/static/interviews/base.css, and what stands on the accent colour."""
DARK_LIGHTNESS, DARK_CHROMA = 0.79, 0.11
"""In the dark theme a colour is at least so light and at most so strong (OKLCH)."""
SOFT_SHARE: Final = 0.1
"""`--accent-soft` of base.css: so much of the colour in the paper, under letters of the colour itself."""
_STEP: Final = 0.005

_Triple = tuple[float, float, float]


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    brighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=256)
def in_light(colour: str) -> str:
    """Return the colour if it can be read in the light theme, else the nearest darker one of its hue."""
    return _readable(colour.lower(), LIGHT_PAPERS, -_STEP)


@lru_cache(maxsize=256)
def in_dark(colour: str) -> str:
    """Return the form of a colour that can be read in the dark theme."""
    lightness, a, b = _oklab(colour)
    strength = min(1.0, DARK_CHROMA / max((a * a + b * b) ** 0.5, 1e-9))
    lighter = _hex((max(lightness, DARK_LIGHTNESS), a * strength, b * strength))
    return _readable(lighter, DARK_PAPERS, _STEP)


def _readable(colour: str, papers: tuple[str, ...], step: float) -> str:
    lightness, a, b = _oklab(colour)
    found = colour
    while not _is_readable(found, papers):
        lightness += step
        share = max(0.0, min(1.0, lightness if step < 0 else 1 - lightness))
        found = _hex((lightness, a * min(1.0, 3 * share), b * min(1.0, 3 * share)))
    return found


def _is_readable(colour: str, papers: tuple[str, ...]) -> bool:
    soft = _mixed(colour, papers[0], SOFT_SHARE)
    return min(contrast(colour, paper) for paper in (*papers, soft)) >= MIN_CONTRAST


def _mixed(colour: str, paper: str, share: float) -> str:
    pairs = zip(_oklab(colour), _oklab(paper), strict=True)
    lightness, a, b = (share * one + (1 - share) * other for one, other in pairs)
    return _hex((lightness, a, b))


def _linear(colour: str) -> _Triple:
    """Return linear red, green and blue, 0 to 1. Source: IEC 61966-2-1 (sRGB)."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _from_gamma(red), _from_gamma(green), _from_gamma(blue)


def _from_gamma(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _to_gamma(value: float) -> float:
    value = max(0.0, min(1.0, value))
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _oklab(colour: str) -> _Triple:
    """Return lightness, a and b. Source: B. Ottosson, "A perceptual color space for image processing"."""
    red, green, blue = _linear(colour)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _hex(oklab: _Triple) -> str:
    lightness, a, b = oklab
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _to_gamma(value)):02x}" for value in linear)
