"""A draft evaluation: for each criterion a level that is suggested, or the reason why there is none. Pure.

    drafted = draft_evaluation.made(criteria, answers, language="en", ask=ask)
    drafted.grades["17"].level; drafted.addressed

A person decides. What a candidate says must not move the model, so no sentence is where it could:

1. Each passage is sifted alone. Only what tells of work is evidence; all else goes no further. So an
   interview with a sentence that gives orders is graded by the very same request as without it.
2. Each criterion is graded alone, by the evidence for its questions, with quotations that were said.
3. It is graded again by the quoted passages only. A level that does not follow from what people can hear is
   not suggested.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from interviews.brain import grading, passages, sifting
from interviews.brain.grading import Criterion, Grade
from interviews.brain.language_model import Completion, Prompt
from interviews.brain.passages import Passage, Said

VERSION: Final = f"{sifting.VERSION} {grading.VERSION}"
Ask = Callable[[Prompt, Said | None], Completion]
"""Asks the model; the answer that it is about, if it is about one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """grades: by the criterion's key. addressed: what was left out since it speaks to whoever assesses."""

    grades: dict[str, Grade]
    addressed: tuple[Passage, ...]


def made(criteria: Sequence[Criterion], answers: Sequence[Said], *, language: str, ask: Ask) -> Draft:
    """Return the draft, with a rationale in one of `guard.languages`.

    The same answers of the model give the same draft, so `ask` may remember them.
    """
    reliable = [answer for answer in answers if answer.is_reliable]
    kinds = [(each, _kind(each, ask)) for answer in reliable for each in passages.of(answer)]
    evidence = [passage for passage, kind in kinds if kind == sifting.WORK]
    grades = {
        criterion.key: _graded(
            criterion,
            [passage for passage in evidence if _is_about(criterion, passage.said)],
            is_unreliable=not any(_is_about(criterion, answer) for answer in reliable),
            language=language,
            ask=ask,
        )
        for criterion in criteria
    }
    return Draft(grades, tuple(passage for passage, kind in kinds if kind == sifting.ASSESSOR))


def _kind(passage: Passage, ask: Ask) -> str:
    if sifting.is_known(passage):
        return sifting.ASSESSOR
    return sifting.kind(ask(sifting.prompt(passage), passage.said))


def _is_about(criterion: Criterion, said: Said) -> bool:
    return not criterion.positions or said.position in criterion.positions


def _graded(
    criterion: Criterion, evidence: list[Passage], *, is_unreliable: bool, language: str, ask: Ask
) -> Grade:
    if not evidence:
        return Grade(reason="unreliable" if is_unreliable else "nothing_said")

    def graded(by: list[Passage]) -> Grade:
        prompt = grading.prompt(criterion, by, language=language)
        return grading.read(ask(prompt, None), criterion, by, language=language)

    first = graded(evidence)
    quoted = _quoted(first, evidence)
    if not first.level or len(quoted) == len(evidence):
        return first
    again = graded(quoted)
    is_other = again.level not in (0, first.level) or again.reason == "nothing_said"
    return Grade(reason="unproven") if is_other else again


def _quoted(grade: Grade, evidence: list[Passage]) -> list[Passage]:
    """Return the passages that the quotations come from."""
    return [each for each in evidence if any(_holds(each, quote) for quote in grade.quotes)]


def _holds(passage: Passage, quote: grading.Quote) -> bool:
    return passage.said.key == quote.answer and grading.quotes.occurs(quote.text, passage.text)
