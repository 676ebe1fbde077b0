"""Kokoro's voices, and blends of them: which exist, and how an id names them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

from voice.types import Voice

SAMPLE_RATE_HZ: Final = 24_000

# Kokoro's letter for a language (the first of a voice's name), its tag, and its voices, best first. Source:
# hexgrad/Kokoro-82M, VOICES.md (v1.0)
_VOICES: Final = {
    "en-US": """
        af_heart af_bella af_nicole af_aoede af_kore af_sarah af_alloy af_nova af_sky af_jessica af_river
        am_fenrir am_michael am_puck am_echo am_eric am_liam am_onyx am_santa am_adam
    """,
    "en-GB": "bf_emma bf_isabella bf_alice bf_lily bm_george bm_fable bm_lewis bm_daniel",
    "es": "ef_dora em_alex em_santa",
    "fr-FR": "ff_siwis",
    "hi": "hf_alpha hf_beta hm_omega hm_psi",
    "it": "if_sara im_nicola",
    "ja": "jf_alpha jf_gongitsune jf_tebukuro jf_nezumi jm_kumo",
    "pt-BR": "pf_dora pm_alex pm_santa",
    "zh": "zf_xiaobei zf_xiaoni zf_xiaoxiao zf_xiaoyi zm_yunjian zm_yunxi zm_yunxia zm_yunyang",
}
VOICES: Final = tuple(
    Voice(f"kokoro:{name}", language, name, "kokoro", "neural", SAMPLE_RATE_HZ)
    for language, names in _VOICES.items()
    for name in names.split()
)
Blend = dict[str, float]
"""The weight of each voice, by name; the weights need not add up to 1."""
_WEIGHT: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")


def blend_of(voice_id: str, known: Collection[str]) -> Blend:
    """Return each voice's weight in "kokoro:af_heart:0.7+af_bella:0.3"; a part without a weight has 1.

    Parts that are not `known`, or whose weight is not a number above 0, are left out.
    """
    weights: Blend = {}
    for part in voice_id.partition(":")[2].split("+"):
        name, _, weight = part.partition(":")
        if name in known and (found := _weight(weight)):
            weights[name] = weights.get(name, 0.0) + found
    return weights


def is_blend(voice_id: str, voices: Iterable[Voice]) -> bool:
    """Whether every part of it is one of these voices, and Kokoro's, with a usable weight."""
    names = {voice.name for voice in voices if voice.engine == "kokoro"}
    parts = voice_id.removeprefix("kokoro:").split("+")
    return voice_id.startswith("kokoro:") and all(blend_of(f"kokoro:{part}", names) for part in parts)


def _weight(text: str) -> float:
    if not text:
        return 1.0
    return float(text) if _WEIGHT.fullmatch(text) else 0.0
