"""What candidates do, and what they shall feel: the file of a plan."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from interview_platform.planning.inputs import Inputs

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0)]


class AnswerLengths(Inputs):
    """A triangular distribution of seconds."""

    shortest_s: Seconds
    usual_s: Seconds
    longest_s: Seconds

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if not self.shortest_s <= self.usual_s <= self.longest_s or self.shortest_s == self.longest_s:
            raise ValueError("shortest_s, usual_s and longest_s must rise")
        return self

    @property
    def mean_s(self) -> float:
        return (self.shortest_s + self.usual_s + self.longest_s) / 3

    @property
    def mean_age_s(self) -> float:
        """How long an answer under way has been going on, seen at any moment: E[T^2] / 2 E[T]."""
        a, b, c = self.shortest_s, self.longest_s, self.usual_s
        variance = (a * a + b * b + c * c - a * b - a * c - b * c) / 18
        return (self.mean_s**2 + variance) / (2 * self.mean_s)


class Interview(Inputs):
    """One candidate's interview. `unspoken_share`: of its questions, whose text is not in the cache yet."""

    questions: Annotated[int, Field(ge=1, le=200)]
    answer: AnswerLengths
    speaking_share: Annotated[float, Field(gt=0, lt=1)]
    question_s: Seconds
    unspoken_share: Share

    @property
    def answer_and_pause_s(self) -> float:
        return self.answer.mean_s / self.speaking_share

    @property
    def length_s(self) -> float:
        return self.questions * self.answer_and_pause_s


class Demand(Inputs):
    """How many candidates: at once, or on a day with `hourly`, their shares in each hour."""

    candidates: Annotated[int, Field(ge=1, le=1_000_000)]
    hourly: tuple[Annotated[float, Field(ge=0)], ...] = ()

    @model_validator(mode="after")
    def _is_a_day(self) -> Self:
        if self.hourly and (len(self.hourly) != 24 or not sum(self.hourly)):
            raise ValueError("hourly must have 24 numbers, one of them above 0")
        return self

    @property
    def a_second(self) -> tuple[float, ...]:
        """Arrivals a second in each hour of the day."""
        return tuple(self.candidates * share / sum(self.hourly) / 3600 for share in self.hourly)

    def at_once(self, interview: Interview) -> int:
        """Candidates who are there at the busiest time (a day: Little's law in its busiest hour)."""
        if not self.hourly:
            return self.candidates
        return max(1, round(max(self.a_second) * interview.length_s))


class Targets(Inputs):
    """Waits of which 95 of 100 shall be shorter, and how busy slots may be at the busiest time."""

    question_audio_s: Seconds
    transcript_s: Seconds
    stored_s: Seconds
    utilisation: Annotated[float, Field(gt=0, le=1)]


class Choices(Inputs):
    """Which engines of the figures are used, and how."""

    recognition: str
    synthesis: str
    captions: bool
    recognised_ahead: bool


class Scaling(Inputs):
    """How pools grow and shrink (KEDA and the HPA behind it)."""

    poll_s: Seconds
    cooldown_s: Seconds
    jobs_per_slot: Annotated[float, Field(gt=0)]


class Plan(Inputs):
    demand: Demand
    interview: Interview
    targets: Targets
    choices: Choices
    scaling: Scaling
    seed: int = 1
