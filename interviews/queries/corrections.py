"""The words of an answer, as recognised and as corrected. Pure: given a transcript and its corrections.

    wording(transcript, corrections)     # stretches of words, each as recognised or as corrected
    corrected_text(transcript, corrections)

Corrections are layers in the order in which they were made, but the candidate's lie below those of reviewers,
who listened and have no part in it. Each belongs to the version of the transcript that it was made on. There
it is in force if none above it overlaps it, and if the words that it stands for are still those of the
transcript.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from interviews.models import Correction
from interviews.queries.reliability import DOUBTFUL_BELOW
from voice.models import Recognised
from voice.text.writing_systems import UNSPACED_LANGUAGES


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words that are shown as one: a recognised word, or what a correction puts in place of some.

    first, last: which recognised words these are. Times in seconds from the start of the recording.
    """

    first: int
    last: int
    text: str
    start_s: float
    end_s: float
    confidence: float
    correction: Correction | None = None

    @property
    def is_doubtful(self) -> bool:
        """Whether the word was recognised with little confidence. A correction never is."""
        return self.confidence < DOUBTFUL_BELOW

    @property
    def is_by_candidate(self) -> bool:
        """Whether these are the candidate's own words about what was said."""
        return self.correction is not None and self.correction.is_by_candidate

    @property
    def percent(self) -> int:
        return round(100 * self.confidence)


def separator(transcript: Recognised) -> str:
    """Return what stands between two words of the transcript's language."""
    return "" if transcript.language in UNSPACED_LANGUAGES else " "


def recognised(transcript: Recognised, first: int, last: int) -> str:
    """Return the recognised words `first` to `last`, inclusive, as text."""
    words = transcript.words[first : last + 1]
    return separator(transcript).join(word["word"].strip() for word in words)


def in_force(transcript: Recognised, corrections: Iterable[Correction]) -> list[Correction]:
    """Return the corrections that are in force, in the order of the words.

    corrections: all of the answer, in the order in which they were made.
    """
    return _uppermost(layer for layer in corrections if _is_of(layer, transcript))


def by_candidate(layers: Iterable[Correction]) -> set[int]:
    """Return the versions that the candidate corrected and did not restore, also if a reviewer's hide it.

    No version changes once it is made, so their words need not be read.
    """
    own: dict[int, list[Correction]] = {}
    for layer in layers:
        if layer.is_by_candidate:
            own.setdefault(layer.version, []).append(layer)
    return {version for version, of_version in own.items() if _uppermost(of_version)}


def corrected_elsewhere(transcript: Recognised | None, layers: Iterable[Correction]) -> int | None:
    """Return the newest version that the candidate corrected instead of the one that is used; or None.

    Whoever corrected the one that is used has seen it: then there is none.
    """
    corrected = by_candidate(layers)
    return None if transcript is None or transcript.version in corrected else max(corrected, default=None)


def _uppermost(layers: Iterable[Correction]) -> list[Correction]:
    """Return the layers of one version that no other lies above, in the order of the words."""
    kept: list[Correction] = []
    for layer in sorted(layers, key=lambda layer: not layer.is_by_candidate):
        kept = [one for one in kept if one.last_word < layer.first_word or one.first_word > layer.last_word]
        if layer.text is not None:
            kept.append(layer)
    return sorted(kept, key=lambda layer: layer.first_word)


def _is_of(layer: Correction, transcript: Recognised) -> bool:
    """Whether the correction was made on this version, and the words that it stands for are still there."""
    if layer.version != transcript.version:
        return False
    words = recognised(transcript, layer.first_word, layer.last_word)
    return layer.last_word < len(transcript.words) and words == layer.recognised


def wording(transcript: Recognised, corrections: Iterable[Correction] = ()) -> list[Stretch]:
    """Return all words of a transcript, in order, with the corrections in force."""
    words, stretches = transcript.words, []
    begin = {layer.first_word: layer for layer in in_force(transcript, corrections)}
    at = 0
    while at < len(words):
        layer = begin.get(at)
        last = layer.last_word if layer else at
        stretches.append(_stretch(words, at, last, layer))
        at = last + 1
    return stretches


def by_segment(transcript: Recognised, corrections: Iterable[Correction] = ()) -> list[list[Stretch]]:
    """Return `wording`, a list for each segment of the transcript. A correction stands where it begins."""
    stretches = wording(transcript, corrections)
    firsts = [stretch.first for stretch in stretches]
    ends = accumulate((len(segment["words"]) for segment in transcript.segments), initial=0)
    cuts = pairwise(bisect_left(firsts, end) for end in ends)
    return [stretches[begin:end] for begin, end in cuts]


def _stretch(words: Sequence[dict], first: int, last: int, layer: Correction | None) -> Stretch:
    text = words[first]["word"].strip() if layer is None else layer.text or ""
    confidence = words[first]["confidence"] if layer is None else 1.0
    return Stretch(first, last, text, words[first]["start"], words[last]["end"], confidence, layer)


def corrected_text(transcript: Recognised, corrections: Iterable[Correction] = ()) -> str:
    """Return the transcript's text with the corrections in force; as recognised where there are none."""
    layers = list(corrections)
    if not in_force(transcript, layers):
        return transcript.text
    texts = (stretch.text for stretch in wording(transcript, layers))
    return separator(transcript).join(text for text in texts if text)
