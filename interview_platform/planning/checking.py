"""The planner against load tests: what it says of each run, and what was measured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from interview_platform.planning import candidates, jobs, stores
from interview_platform.planning.demand import Interview
from interview_platform.planning.figures import Backlog, Figures, Run
from interview_platform.planning.simulation import Rule, played

ALLOWED = 0.2
SEEDS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Check:
    """predicted_apart: by figures without this run; None where nothing is fitted to runs."""

    candidates: int
    what: str
    unit: str
    measured: float
    predicted: float
    predicted_apart: float | None = None

    @property
    def error(self) -> float:
        return self.predicted / self.measured - 1

    @property
    def error_apart(self) -> float | None:
        return None if self.predicted_apart is None else self.predicted_apart / self.measured - 1

    @property
    def is_within(self) -> bool:
        return abs(self.error) <= ALLOWED


def checks(figures: Figures) -> list[Check]:
    """Return a row for each figure of each run that the planner predicts."""
    rows = [row for run in figures.runs for row in _of_run(figures, run)]
    return rows + [_of_backlog(figures, backlog) for backlog in figures.backlogs]


def _of_run(figures: Figures, run: Run) -> Iterator[Check]:
    interview = _interview(figures, run)
    counts, seconds = [], []
    for seed in SEEDS:
        spoken = candidates.present(
            interview,
            run.candidates,
            until_s=run.candidates / run.arrivals_a_second + 60 * run.minutes,
            arrivals_a_second=run.arrivals_a_second,
            seed=seed,
        )
        counts.append(len(spoken))
        seconds.append(sum(each.length_s for each in spoken))
    gb = sum(seconds) / len(seconds) * figures.platform.audio_kb_a_second / 1e6
    yield Check(run.candidates, "recordings", "", run.recordings, sum(counts) / len(counts))
    yield Check(run.candidates, "audio", "GB", run.audio_gb, gb)
    for resource in stores.RESOURCES:
        if (measured := resource.value_of(run)) is not None:
            predicted = stores.line_of(resource, figures.runs, figures).at(_number(figures, run, resource))
            apart = _predicted(figures, run, resource, [other for other in figures.runs if other is not run])
            yield Check(run.candidates, resource.title, resource.unit, measured, predicted, apart)


def _predicted(
    figures: Figures, run: Run, resource: stores.Resource, fitted_to: Sequence[Run]
) -> float | None:
    """Return what the planner says of a run by figures of others; None if too few others measured it."""
    if sum(resource.value_of(other) is not None for other in fitted_to) < 2:
        return None
    return stores.line_of(resource, fitted_to, figures).at(_number(figures, run, resource))


def _number(figures: Figures, run: Run, resource: stores.Resource) -> float:
    return resource.number(run.candidates, run.speaking_share, figures.answer.mean_age_s)


def _interview(figures: Figures, run: Run) -> Interview:
    return Interview(
        questions=1,
        answer=figures.answer,
        speaking_share=run.speaking_share,
        question_s=1,
        unspoken_share=0,
    )


def _of_backlog(figures: Figures, backlog: Backlog) -> Check:
    service_s = backlog.mean_answer_s * figures.engine(backlog.engine, "recognition").real_time_factor
    waiting = [jobs.Job(0.0, service_s)] * backlog.waiting
    outcome = played(waiting, Rule(1, 1, slots=backlog.slots), until_s=backlog.seconds)
    return Check(1000, f"transcripts in {backlog.seconds / 60:g} min", "", backlog.done, outcome.done)
