"""What is wrong with a rubric, before it is published. Pure: it looks at criteria as a version keeps them."""

from collections import Counter
from collections.abc import Sequence

from django.utils.translation import gettext as _

from interviews.models.rubric import LEAST_LEVELS, MOST_LEVELS, RubricCriterion


def problems(criteria: Sequence[RubricCriterion]) -> list[str]:
    """Return why reviewers could not score by these criteria; empty if they can, also without criteria."""
    found = [reason for criterion in criteria if (reason := _problem(criterion))]
    names = Counter(criterion.name.strip().casefold() for criterion in criteria if criterion.name.strip())
    if any(count > 1 for count in names.values()):
        found.append(_("Two criteria have the same name. Reviewers could not tell them apart."))
    return found


def _problem(criterion: RubricCriterion) -> str:
    name = criterion.name.strip()
    if not name:
        return _("A criterion has no name.")
    if not LEAST_LEVELS <= len(criterion.levels) <= MOST_LEVELS:
        return _("The criterion “%(name)s” needs %(least)d to %(most)d levels, with a sentence for each.") % {
            "name": name,
            "least": LEAST_LEVELS,
            "most": MOST_LEVELS,
        }
    for level, sentence in criterion.anchors:
        if not sentence.strip():
            return _("Level %(level)d of the criterion “%(name)s” has no sentence.") % {
                "level": level,
                "name": name,
            }
    return ""
