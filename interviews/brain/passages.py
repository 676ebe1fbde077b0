"""What a candidate said, in passages: a sentence each, so that each can be judged without the others. Pure.

[passage, *_] = passages.of(said)
passage.text, passage.start_s
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from interviews.texts import quotes
from voice.types import Word

PAUSE_S: Final = 1.0
"""A silence that ends a passage, for engines that write no full stops."""
MOST_WORDS: Final = 60
"""A passage without full stop or pause ends here."""
FEWEST_WORDS: Final = 3
"""Less proves nothing: "Yes." and "Well, so." are passed over."""
MOST: Final = 100
"""An answer in more sentences, about ten minutes, is cut by its length only: each passage costs a request."""
_ENDS: Final = (".", "?", "!", "…", "。", "？", "！")  # also of other writing systems
_CLOSING: Final = "\"'”’»)]"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: its words, in order, with their times in seconds from the start of its recording.

    number: as people know the answer. position: of its question, 1, 2, 3 … has_times: a typed answer has
    none. is_reliable: it was recognised well enough to be judged by.
    """

    key: str
    number: str
    position: int
    question: str
    words: tuple[Word, ...]
    has_times: bool = True
    is_reliable: bool = True


@dataclass(frozen=True, slots=True)
class Passage:
    """Some words of an answer that follow each other."""

    said: Said
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text.strip() for word in self.words)

    @property
    def start_s(self) -> float | None:
        """Seconds from the start of the recording; None if the answer was typed."""
        return self.words[0].start_s if self.said.has_times else None


def of(said: Said) -> list[Passage]:
    """Return the passages of an answer that are long enough to say something."""
    found = _passages(said, _sentences(said.words, has_times=said.has_times))
    return found if len(found) <= MOST else _passages(said, _stretches(said.words))


def _passages(said: Said, parts: Iterable[Sequence[Word]]) -> list[Passage]:
    found = (Passage(said, tuple(words)) for words in parts)
    return [passage for passage in found if len(quotes.words(passage.text)) >= FEWEST_WORDS]


def _stretches(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    return (words[first : first + MOST_WORDS] for first in range(0, len(words), MOST_WORDS))


def _sentences(words: Sequence[Word], *, has_times: bool) -> Iterator[list[Word]]:
    passage: list[Word] = []
    for word in words:
        is_after_pause = has_times and passage and word.start_s - passage[-1].end_s >= PAUSE_S
        if is_after_pause or len(passage) >= MOST_WORDS:
            yield passage
            passage = []
        passage.append(word)
        if word.text.strip().rstrip(_CLOSING).endswith(_ENDS):
            yield passage
            passage = []
    if passage:
        yield passage
