"""Measured figures: what engines take for a second of audio, and what load tests took of the platform."""

from typing import Annotated, Literal

from pydantic import Field

from interview_platform.planning.demand import AnswerLengths, Seconds, Share
from interview_platform.planning.inputs import BadInput, Inputs

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Size(Inputs):
    """What a pod asks of its node."""

    cores: Positive
    memory_mb: Positive
    gpus: Annotated[int, Field(ge=0)] = 0


class Engine(Inputs):
    """A model on a device.

    real_time_factor: seconds that one slot takes for a second of audio.
    caption_s: seconds of a slot for one live caption; recognition only.
    is_measured: by this project. Otherwise the report says that the figure is assumed.
    """

    direction: Literal["recognition", "synthesis"]
    real_time_factor: Positive
    slots: Count
    pod: Size
    cold_start_s: Seconds
    caption_s: Seconds | None = None
    is_measured: bool
    source: str


class Run(Inputs):
    """A load test (`make load`). CPU seconds are for a candidate-minute.

    What was not measured is left out, as on a machine that other programs used.
    """

    candidates: Count
    minutes: Positive
    arrivals_a_second: Positive
    speaking_share: Share
    recordings: Count
    audio_gb: Positive
    web_cpu_s: Positive | None = None
    storing_cpu_s: Positive | None = None
    postgres_cpu_s: Positive | None = None
    redis_cpu_s: Positive | None = None
    redis_peak_mb: Positive | None = None
    database_connections: Count | None = None
    web_memory_mb: Positive | None = None


class Backlog(Inputs):
    """Deferred transcripts that were made in a given time, for the check of the simulation."""

    waiting: Count
    engine: str
    slots: Count
    seconds: Seconds
    mean_answer_s: Seconds
    done: Count


class Platform(Inputs):
    """What does not depend on an engine."""

    cached_audio_s: Seconds
    caption_every_s: Seconds
    window_s: Seconds
    candidates_per_web_pod: Count
    web_pod: Size
    storing_pod: Size
    storing_cold_start_s: Seconds
    cron_pod: Size
    connections_per_process: Count
    worker_connections: Positive
    flac_share: Share
    audio_kb_a_second: Positive
    page_mb: Positive
    spoken_question_kb_a_second: Positive


class Figures(Inputs):
    platform: Platform
    engines: dict[str, Engine]
    answer: AnswerLengths
    runs: Annotated[tuple[Run, ...], Field(min_length=2)]
    backlogs: tuple[Backlog, ...] = ()

    def engine(self, name: str, direction: str) -> Engine:
        """Return an engine. Raises BadInput."""
        found = self.engines.get(name)
        if found is None or found.direction != direction:
            known = ", ".join(key for key, engine in self.engines.items() if engine.direction == direction)
            raise BadInput(f"choices.{direction}: there is no {name!r} among the figures; there are: {known}")
        return found
