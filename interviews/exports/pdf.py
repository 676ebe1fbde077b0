"""A candidate's interview as PDF. Texts are drawn as they are: none is markup, nothing is fetched."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import TextMode, XPos, YPos

from interviews.exports import fonts
from interviews.exports.blocks import Block, Heading, Pair, Run, Section, Spoken, Text, moment

INK: Final = (31, 41, 55)
FAINT: Final = (75, 85, 99)
DOUBTFUL: Final = (154, 52, 18)
LINE: Final = (209, 213, 219)
TITLE_PT, SECTION_PT, TEXT_PT, NOTE_PT = 18, 13, 10, 8.5
LABEL_MM, TIME_MM, BELOW_MM = 38.0, 14.0, 18.0
BOLD_MM: Final = 0.12
"""The outline that makes letters bold: a bold font would have to be made of the variable one, for seconds."""
LINE_HEIGHT: Final = 1.45
PAGE_COUNT: Final = "\ue000"
"""fpdf2 writes the number of pages in its place. No text has it: it is printed by its number."""
MM_A_POINT: Final = 25.4 / 72

for _logger in ("fontTools", "fpdf"):  # they tell each step, and which characters a text has
    logging.getLogger(_logger).setLevel(logging.ERROR)


class Document(FPDF):
    """Pages with a footer that says whose interview it is, when it was exported, and in which time zone."""

    def __init__(self, texts: Sequence[str], *, title: str, now: datetime) -> None:
        super().__init__(format="A4")
        others = fonts.needed("".join(texts))
        for font in (fonts.TEXT, *others):
            self.add_font(font.name, "", font.path)
        self.set_fallback_fonts([font.name for font in others], exact_match=False)
        self.set_text_shaping(True)
        self.set_title(title)
        self.set_lang(get_language() or "en")
        self.set_creation_date(now)
        self.set_margins(18, 18)
        self.c_margin = 0
        self.set_auto_page_break(True, BELOW_MM)
        where = {"time": moment(now), "zone": timezone.get_current_timezone_name()}
        self._about = _("Exported %(time)s · time zone of all times: %(zone)s") % where
        self.alias_nb_pages(PAGE_COUNT)
        self.add_page()

    def footer(self) -> None:
        """Write the foot of a page."""
        self.set_y(-12)
        self._set(NOTE_PT, FAINT)
        self.cell(0, 5, self._about)
        self.set_x(self.l_margin)
        self.cell(0, 5, f"{self.page_no()} / {PAGE_COUNT}", align="R")

    def add_title(self, title: str) -> None:
        self._set(TITLE_PT, INK)
        self._paragraph(title, is_bold=True)
        self.ln(2)

    def add_note(self, text: str) -> None:
        self._set(NOTE_PT, DOUBTFUL)
        self._paragraph(text)

    def add_section(self, section: Section) -> None:
        self._keep_together(24)
        self.ln(4)
        self.set_draw_color(*LINE)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())
        self.ln(3)
        self._set(SECTION_PT, INK)
        self._paragraph(section.title, is_bold=True)
        self.ln(1)
        for block in section.blocks:
            self._add(block)

    def _add(self, block: Block) -> None:
        match block:
            case Pair(label, text):
                self._labelled(label, [Run(text)], LABEL_MM)
            case Heading(text):
                self._keep_together(20)
                self.ln(3)
                self._set(TEXT_PT + 1, INK)
                self._paragraph(text, is_bold=True)
            case Text(text, is_note):
                self._set(NOTE_PT if is_note else TEXT_PT, FAINT if is_note else INK)
                self._paragraph(text)
            case Spoken(time, runs, separator):
                self._labelled(time, runs, TIME_MM, separator=separator)

    def _labelled(self, label: str, runs: Sequence[Run], width_mm: float, *, separator: str = "") -> None:
        """Write a label, and beside it the words, whose further lines begin below the first."""
        self._set(TEXT_PT, FAINT)
        if self.get_string_width(label := fonts.printable(label)) < width_mm:
            self.cell(width_mm, self._line_mm, label)
        else:
            self._paragraph(label)
            self.set_x(self.l_margin + width_mm)
        margin = self.l_margin
        self.set_left_margin(margin + width_mm)
        for number, run in enumerate(runs):
            self._write(run, separator if number else "")
        self.set_left_margin(margin)
        self.ln(self._line_mm)

    def _write(self, run: Run, separator: str) -> None:
        if separator:
            self._set(TEXT_PT, INK)
            self.write(self._line_mm, separator)
        self._set(TEXT_PT, DOUBTFUL if run.is_doubtful else INK, "U" if run.is_doubtful else "")
        text = fonts.printable(run.text)
        self._begin_word(text)
        self.write(self._line_mm, f"{text} (?)" if run.is_doubtful else text)
        if run.recognised:
            self._set(TEXT_PT, FAINT)
            brackets = "{}" if run.is_by_candidate else "[]"
            self.write(self._line_mm, f" {brackets[0]}{fonts.printable(run.recognised)}{brackets[1]}")

    def _begin_word(self, text: str) -> None:
        """Go to the next line if the first word would not fit: fpdf2 cuts a word with no space before it."""
        word_mm = self.get_string_width(text.split(" ", 1)[0])
        left_mm = self.w - self.r_margin - self.get_x()
        if left_mm < word_mm < self.epw:
            self.ln(self._line_mm)

    def _paragraph(self, text: str, *, is_bold: bool = False) -> None:
        self.set_draw_color(*INK)
        self.set_line_width(BOLD_MM)
        mode = TextMode.FILL_STROKE if is_bold else TextMode.FILL
        with self.local_context(text_mode=mode):
            self.multi_cell(
                0, self._line_mm, fonts.printable(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT
            )

    def _set(self, size_pt: float, colour: tuple[int, int, int], style: str = "") -> None:
        self.set_font(fonts.TEXT.name, style, size_pt)
        self.set_text_color(*colour)

    @property
    def _line_mm(self) -> float:
        return self.font_size_pt * LINE_HEIGHT * MM_A_POINT

    def _keep_together(self, height_mm: float) -> None:
        if self.will_page_break(height_mm):
            self.add_page()


def write(sections: Sequence[Section], *, title: str, now: datetime) -> bytes:
    """Return a PDF file. If its fonts lack a character, it says so, and how the character is written."""
    texts = [title, *(text for section in sections for text in _texts(section))]
    document = Document(texts, title=title, now=now)
    document.add_title(title)
    if not fonts.is_complete(texts):
        note = _(
            "The fonts of this file lack some characters: they are written by their numbers, as [U+1F600]. "
        )
        document.add_note(note + _("The JSON export has them as they are."))
    for section in sections:
        document.add_section(section)
    return bytes(document.output())


def _texts(section: Section) -> Iterator[str]:
    yield section.title
    for block in section.blocks:
        match block:
            case Pair(label, text):
                yield from (label, text)
            case Spoken(runs=runs):
                yield from (text for run in runs for text in (run.text, run.recognised))
            case Heading(text) | Text(text):
                yield text
