"""Scores and decision for people to read, as far as the person who exports may see them."""

from collections.abc import Iterator

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from interviews.exports.blocks import Block, Heading, Pair, Text, moment
from interviews.models.rubric import RubricCriterion
from interviews.queries.evaluation import Opinion, Score
from interviews.queries.records import Record
from interviews.queries.suggestions import ShownDraft, Suggested


def blocks(record: Record) -> Iterator[Block]:
    """Yield what was decided and what reviewers have submitted; no draft and no note of the conversation."""
    found = record.evaluation
    if found is None:
        return
    if found.decision is not None:
        yield Pair(_("Decision"), capfirst(found.decision.get_outcome_display()))
        yield Pair(_("Reason"), found.decision.reason)
        yield Pair(_("Decided"), f"{moment(found.decision.decided_at)}, {found.decision.decided_by or '–'}")
    for opinion in found.opinions:
        yield Heading(str(opinion.reviewer))
        yield Text(_circumstances(opinion), is_note=True)
        for score in opinion.scores:
            yield Pair(score.criterion.name, _said(score))
    yield from _suggested(found.drafted)
    if found.is_blind:
        yield Text(
            _("Scores are left out: whoever made this file had neither scored nor chosen to see them."),
            is_note=True,
        )


def _suggested(draft: ShownDraft | None) -> Iterator[Block]:
    """Yield what a language model suggests, with its proofs; only for who has scored the candidate."""
    if draft is None or not draft.is_made:
        return
    yield Heading(_("Suggestion of the language model %s") % draft.row.model)
    yield Text(_("A person decides. Prompt %s.") % draft.row.prompt_version, is_note=True)
    if draft.is_stale:
        yield Text(_("The transcript was changed after this was made."), is_note=True)
    for each in draft.suggested:
        yield Pair(each.criterion.name, _suggestion(each))


def _suggestion(each: Suggested) -> str:
    if each.level is None:
        return _("no suggestion: %s") % each.reason
    level = _of_most(each.level, each.criterion, each.sentence)
    proofs = (
        f"“{quote.text}” ({' '.join(filter(None, [quote.number, quote.clock]))})" for quote in each.quotes
    )
    return "\n".join([level, each.rationale, *proofs])


def _of_most(level: int, criterion: RubricCriterion, sentence: str) -> str:
    said = {"level": level, "most": len(criterion.levels), "sentence": sentence}
    return _("%(level)d of %(most)d: %(sentence)s") % said


def _circumstances(opinion: Opinion) -> str:
    said = _("submitted %s") % moment(opinion.submitted_at)
    knew = _("knew others' judgement")
    return said if opinion.is_blind else f"{said} · {knew}"


def _said(score: Score) -> str:
    level = (
        _of_most(score.level, score.criterion, score.sentence)
        if score.level
        else _("the answers give no basis")
    )
    return f"{level}\n{score.note}" if score.note else level
