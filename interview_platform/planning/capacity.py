"""What N candidates take: pods of each pool, GPUs, stores and traffic."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from interview_platform.planning import candidates, jobs, stores
from interview_platform.planning.candidates import Spoken
from interview_platform.planning.demand import Plan
from interview_platform.planning.figures import Engine, Figures, Size
from interview_platform.planning.jobs import Job
from interview_platform.planning.sizing import fewest_pods

SAMPLE = 1000
"""More candidates than this are simulated as so many, and the pods are multiplied. Large pools wait less
than the same number of small ones, so the result is on the safe side."""
SPAN_S = 600.0
BUSY = 0.7
"""Share of a core that a web process, PostgreSQL and Redis may use, and a slot for captions."""
ROOM = 2.0
"""Redis may need twice its peak while it writes its append-only file anew."""
LEAST_WEB_PODS = 2
SERVER_CONNECTIONS_A_CORE, LEAST_SERVER_CONNECTIONS = 4, 20


@dataclass(frozen=True, slots=True)
class PoolOfPods:
    """sample_pods: of the simulated part. wait_s: p95; None where nothing waits or is not simulated."""

    name: str
    pods: int
    slots: int
    size: Size
    utilisation: float
    wait_s: float | None = None
    target_s: float | None = None
    sample_pods: int = 0
    engine: str = ""
    is_measured: bool = True


@dataclass(frozen=True, slots=True)
class Stores:
    """Connections: clients is what PgBouncer must accept at most, servers its pool."""

    redis_memory_mb: int
    redis_cores: float
    postgres_cores: float
    client_connections: int
    server_connections: int
    egress_gb: float
    storage_gb: float


@dataclass(frozen=True, slots=True)
class Capacity:
    """hours: 24 for a day; 1 for candidates at once. Traffic and growth are of that time."""

    candidates: int
    at_once: int
    hours: int
    interviews: float
    pools: tuple[PoolOfPods, ...]
    stores: Stores

    @property
    def gpus(self) -> int:
        return sum(pool.pods * pool.size.gpus for pool in self.pools)

    def pool(self, name: str) -> PoolOfPods:
        return next(pool for pool in self.pools if pool.name == name)


@dataclass(frozen=True, slots=True)
class Simulated:
    """A pool whose jobs are simulated."""

    name: str
    slots: int
    size: Size
    cold_start_s: float
    target: str
    jobs_of: Callable[[Sequence[Spoken]], list[Job]]
    engine: str = ""
    is_measured: bool = True


def simulated_pools(plan: Plan, figures: Figures) -> tuple[Simulated, ...]:
    """Return the pools of a plan. Raises BadInput for an engine that is not among the figures."""
    recognition = figures.engine(plan.choices.recognition, "recognition")
    synthesis = figures.engine(plan.choices.synthesis, "synthesis")
    storing_s = stores.storing_s_a_second(figures)
    return (
        _of_engine(
            "worker-stt",
            plan.choices.recognition,
            recognition,
            "transcript_s",
            lambda spoken: jobs.of_recognition(
                spoken,
                recognition,
                window_s=figures.platform.window_s,
                is_recognised_ahead=plan.choices.recognised_ahead,
            ),
        ),
        _of_engine(
            "worker-tts",
            plan.choices.synthesis,
            synthesis,
            "question_audio_s",
            lambda spoken: jobs.of_synthesis(spoken, synthesis, plan),
        ),
        Simulated(
            "worker-default",
            1,  # its slots share Python's lock
            figures.platform.storing_pod,
            figures.platform.storing_cold_start_s,
            "stored_s",
            lambda spoken: jobs.of_storing(spoken, cpu_s_a_second=storing_s),
        ),
    )


def _of_engine(
    pool: str, engine_name: str, engine: Engine, target: str, jobs_of: Callable[[Sequence[Spoken]], list[Job]]
) -> Simulated:
    name = f"{pool}-gpu" if engine.pod.gpus else pool
    return Simulated(
        name,
        engine.slots,
        engine.pod,
        engine.cold_start_s,
        target,
        jobs_of,
        engine_name,
        engine.is_measured,
    )


def capacity(plan: Plan, figures: Figures) -> Capacity:
    """Return what a plan takes at its busiest time.

    Raises:
        BadInput: an engine is unknown, or a target cannot be met.
    """
    at_once = plan.demand.at_once(plan.interview)
    taken = stores.taken(figures, plan.interview, at_once)
    spoken = sample(plan, min(at_once, SAMPLE))
    pools = [_web(figures, at_once, taken["web_cpu_s"])]
    pools += [sized(pool, plan, spoken, at_once) for pool in simulated_pools(plan, figures)]
    if plan.choices.captions:
        pools.append(_captions(plan, figures, at_once))
    pools.append(PoolOfPods("cron", 1, 1, figures.platform.cron_pod, 0.0))
    hours = 24 if plan.demand.hourly else 1
    interviews = plan.demand.candidates if hours == 24 else at_once * 3600 / plan.interview.length_s
    found = _stores(plan, figures, taken, pools, interviews)
    return Capacity(plan.demand.candidates, at_once, hours, interviews, tuple(pools), found)


def sample(plan: Plan, count: int) -> list[Spoken]:
    """Return what so many candidates say in ten minutes of the busiest time."""
    return candidates.present(plan.interview, count, until_s=SPAN_S, arrivals_a_second=None, seed=plan.seed)


def sized(pool: Simulated, plan: Plan, spoken: Sequence[Spoken], at_once: int) -> PoolOfPods:
    """Return the pool with the fewest pods that keep its target. Raises BadInput."""
    target_s = float(getattr(plan.targets, pool.target))
    found = fewest_pods(
        pool.jobs_of(spoken),
        slots=pool.slots,
        target_s=target_s,
        target=pool.target,
        span_s=SPAN_S,
        utilisation=plan.targets.utilisation,
    )
    return PoolOfPods(
        pool.name,
        math.ceil(found.pods * max(1.0, at_once / SAMPLE)),
        pool.slots,
        pool.size,
        found.utilisation,
        found.wait_s,
        target_s,
        found.pods,
        pool.engine,
        pool.is_measured,
    )


def _web(figures: Figures, at_once: int, cores: float) -> PoolOfPods:
    platform = figures.platform
    by_count = math.ceil(at_once / platform.candidates_per_web_pod)
    by_cores = math.ceil(cores / (BUSY * platform.web_pod.cores))
    pods = max(LEAST_WEB_PODS, by_count, by_cores)
    return PoolOfPods("web", pods, 1, platform.web_pod, cores / pods / platform.web_pod.cores)


def _captions(plan: Plan, figures: Figures, at_once: int) -> PoolOfPods:
    """Captions are not simulated: one that comes late is left out, so only the load matters."""
    engine = figures.engine(plan.choices.recognition, "recognition")
    speakers = at_once * plan.interview.speaking_share
    busy = speakers * (engine.caption_s or 0.0) / figures.platform.caption_every_s
    pods = max(1, math.ceil(busy / BUSY / engine.slots))
    name = "worker-stt-partial-gpu" if engine.pod.gpus else "worker-stt-partial"
    return PoolOfPods(
        name,
        pods,
        engine.slots,
        engine.pod,
        busy / pods / engine.slots,
        engine=plan.choices.recognition,
        is_measured=engine.is_measured,
    )


def _stores(
    plan: Plan, figures: Figures, taken: dict[str, float], pools: Sequence[PoolOfPods], interviews: float
) -> Stores:
    platform, interview = figures.platform, plan.interview
    answers_s = interviews * interview.questions * interview.answer.mean_s
    question_kb = interview.questions * interview.question_s * platform.spoken_question_kb_a_second
    processes = sum(pool.pods for pool in pools)
    postgres_cores = taken["postgres_cpu_s"] / BUSY
    return Stores(
        redis_memory_mb=math.ceil(taken["redis_peak_mb"] * ROOM),
        redis_cores=taken["redis_cpu_s"] / BUSY,
        postgres_cores=postgres_cores,
        client_connections=processes * platform.connections_per_process,
        server_connections=max(
            LEAST_SERVER_CONNECTIONS, math.ceil(postgres_cores * SERVER_CONNECTIONS_A_CORE)
        ),
        egress_gb=interviews * (platform.page_mb / 1e3 + question_kb / 1e6),
        storage_gb=answers_s * platform.audio_kb_a_second * platform.flac_share / 1e6,
    )
