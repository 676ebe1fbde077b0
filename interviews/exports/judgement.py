"""Scores and decision for people to read, as far as the person who exports may see them."""

from collections.abc import Iterator

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from interviews.exports.blocks import Block, Heading, Pair, Text, moment
from interviews.queries.evaluation import Opinion, Score
from interviews.queries.records import Record


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
    if found.is_blind:
        yield Text(
            _("Scores are left out: whoever made this file had neither scored nor chosen to see them."),
            is_note=True,
        )


def _circumstances(opinion: Opinion) -> str:
    said = _("submitted %s") % moment(opinion.submitted_at)
    knew = _("knew others' judgement")
    return said if opinion.is_blind else f"{said} · {knew}"


def _said(score: Score) -> str:
    level = (
        _("%(level)d of %(most)d: %(sentence)s")
        % {"level": score.level, "most": len(score.criterion.levels), "sentence": score.sentence}
        if score.level
        else _("the answers give no basis")
    )
    return f"{level}\n{score.note}" if score.note else level
