"""What a document for people consists of: sections of blocks. Texts are plain, none is markup."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils import formats, timezone


class Pair(NamedTuple):
    """A label and what it says, such as "E-mail" and an address."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """The beginning of a part of a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph. is_note: ours, about the words of the candidate."""

    text: str
    is_note: bool = False


class Run(NamedTuple):
    """Words that follow each other: all of them doubtful, or none, or what one correction says was said.

    recognised: the words that the correction stands for. is_by_candidate: the candidate made it.
    """

    text: str
    is_doubtful: bool = False
    recognised: str = ""
    is_by_candidate: bool = False


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said from a time of the recording on, as 1:07."""

    time: str
    runs: Sequence[Run]
    separator: str = " "


Block = Pair | Heading | Text | Spoken


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document, with a title."""

    title: str
    blocks: Sequence[Block]


def moment(time: datetime) -> str:
    """Return a time in the time zone of the request, as people read it."""
    return formats.date_format(timezone.localtime(time), "DATETIME_FORMAT")
