"""What the page of an answer shows of the versions of its transcript."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from accounts.models import User
from interviews.models import Answer
from interviews.queries import corrections, transcript_versions
from voice.models import Recognised
from voice.types import EngineModel


@dataclass(frozen=True)
class Version:
    """A version as the page shows it.

    n_corrections: that were made on it. asked_by: None for the first one, and where the account is gone.
    """

    row: Recognised
    is_current: bool
    n_corrections: int
    asked_by: User | None

    @property
    def is_done(self) -> bool:
        return self.row.status == Recognised.Status.DONE

    @property
    def model(self) -> EngineModel:
        """By which it was made, or is to be made."""
        wanted = EngineModel(getattr(self.row, "wanted_engine", ""), getattr(self.row, "wanted_model", ""))
        return EngineModel(self.row.engine, self.row.model) if self.row.engine else wanted

    @property
    def percent(self) -> int:
        return round(100 * (self.row.confidence or 0))


def versions_of(answer: Answer) -> list[Version]:
    """Return the versions of an answer with a transcript, in order."""
    current = cast("Any", answer.recording).transcript.version
    made_on = list(answer.corrections.values_list("version", flat=True))
    rows = transcript_versions.all_of(answer)
    asked_by = {row.version: getattr(row, "asked_by", "") for row in rows}
    people = {str(user.pk): user for user in User.objects.filter(pk__in=filter(None, asked_by.values()))}
    return [
        Version(
            row,
            is_current=row.version == current,
            n_corrections=made_on.count(row.version),
            asked_by=people.get(asked_by[row.version]),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class AtStake:
    """How many corrections are in force on the version that is used, and so with no other one.

    of_candidate: how many of them are the candidate's. needs_confirmation: before another one is used.
    """

    version: int
    total: int
    of_candidate: int
    needs_confirmation: bool


def at_stake(answer: Answer) -> AtStake:
    """Return what another version would put out of force."""
    transcript = cast("Any", answer.recording).transcript
    layers = list(answer.corrections.all())
    standing = corrections.in_force(transcript, layers)
    return AtStake(
        transcript.version,
        total=len(standing),
        of_candidate=sum(layer.is_by_candidate for layer in standing),
        needs_confirmation=transcript.version in corrections.by_candidate(layers),
    )


def difference(versions: list[Version], asked: Mapping[str, str]) -> dict[str, Any]:
    """Return two versions and what is different: those that are asked for, else the used and the newest."""
    done = {one.row.version: one.row for one in versions if one.is_done}
    if len(done) < 2:
        return {}
    used = next((one.row.version for one in versions if one.is_current and one.is_done), min(done))
    other = max(number for number in done if number != used)
    before, after = (
        number if (number := number_in(asked.get(name, ""))) in done else default
        for name, default in (("before", min(used, other)), ("after", max(used, other)))
    )
    found = transcript_versions.passages(done[before], done[after])
    return {
        "before": done[before],
        "after": done[after],
        "done": list(done.values()),
        "passages": found,
        "n_different": transcript_versions.count_different(found),
    }


def number_in(text: str) -> int | None:
    """Return the number of a version; None for what is none."""
    return int(text) if text.isdecimal() and len(text) < 5 else None
