"""All metrics of the speech service; `voice.monitoring.prometheus` exposes them to Prometheus.

Labels take few values: names of engines, queues, kinds and outcomes, never an id or a text. Each metric is
updated where the event happens and summed over the processes of a machine. docs/metrics.md lists them all.

With PROMETHEUS_MULTIPROC_DIR every change is a write into a mapped file, which takes some microseconds.
Events that happen thousands of times a second are therefore counted in plain numbers first
(`interviews.candidate.metrics`).
"""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # when each counter was made: a third more series that no graph reads

FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
ENGINE_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
WAIT_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
SIZES = (1, 2, 4, 8, 16, 32, 64)
RATIOS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 5)


class TracedHistogram(Histogram):
    """A histogram whose buckets name the last sampled trace that fell into them: a link from a graph to it.

    OpenMetrics tells it; with PROMETHEUS_MULTIPROC_DIR it is not kept.
    """

    trace_id: ClassVar[Callable[..., str]] = staticmethod(str)
    """Returns the id of the sampled trace that is under way; "" for none. `voice.apps` sets it."""

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Count a value, with the trace that is under way unless another is given."""
        if exemplar is None and (trace_id := self.trace_id()):
            exemplar = {"trace_id": trace_id}
        super().observe(amount, exemplar)


CACHE_REQUESTS = Counter(
    "voice_cache_requests", "Looks into the cache of rendered speech; outcome: hit or miss.", ["outcome"]
)

ENGINE_SECONDS = TracedHistogram(
    "voice_engine_seconds", "Time one call spent inside an engine.", ["direction", "engine"], buckets=ENGINE_S
)
ENGINE_REAL_TIME_FACTOR = Histogram(
    "voice_engine_real_time_factor",
    "Time inside an engine divided by the length of the audio.",
    ["direction", "engine"],
    buckets=RATIOS,
)
ENGINE_FAILURES = Counter(
    "voice_engine_failures",
    "Tries that failed; kind: transient, unavailable, unexpected, rejected (this text or audio) or load.",
    ["direction", "engine", "kind"],
)
ENGINE_RETRIES = Counter(
    "voice_engine_retries", "Calls made again after a transient failure.", ["direction", "engine"]
)
ENGINE_FALLBACKS = Counter(
    "voice_engine_fallbacks",
    "Calls served by another engine than the first that was fit for them.",
    ["direction", "from", "to"],
)

CALLS = Counter(
    "voice_calls",
    "Calls answered; kind as speak or hear, outcome ok or an error's code.",
    ["kind", "outcome"],
)
CALL_WAIT_SECONDS = Histogram(
    "voice_call_wait_seconds", "From a call's arrival until a worker took it.", ["kind"], buckets=FAST_S
)
CALL_SECONDS = TracedHistogram(
    "voice_call_seconds", "From a call's arrival to the end of its answer.", ["kind"], buckets=ENGINE_S
)
FIRST_AUDIO_SECONDS = TracedHistogram(
    "voice_first_audio_seconds",
    "From a request for speech to its first audio; source: cache or engine.",
    ["source"],
    buckets=FAST_S,
)

CONNECTIONS = Gauge(
    "voice_connections", "Open WebSockets.", ["socket"], multiprocess_mode="livesum"
)  # livesum: a process that has ended counts none
REFUSED = Counter("voice_refused", "Requests refused before any work, by the error's code.", ["reason"])

RETREAT_LEVEL = Gauge(
    "voice_retreat_level",
    "Steps that are off under load in the process of this machine that is furthest: 0 to 6.",
    multiprocess_mode="livemax",
)
RETREAT_CHANGES = Counter(
    "voice_retreat_changes",
    "Steps taken under load; step: one of ladder.Step, in lower case; direction: off or on.",
    ["step", "direction"],
)

VAD_SECONDS = Counter("voice_vad_seconds", "Time spent on voice activity.")
HEARD_SECONDS = Counter("voice_heard_seconds", "Audio of live streams that was heard.")
TURNS = Counter("voice_turns", "Turns that ended; reason: silence, semantic or finished.", ["reason"])
CAPTIONS = Counter(
    "voice_partials",
    "Captions wanted; outcome: asked, off (retreat), queue_full or unreachable (Redis).",
    ["outcome"],
)

AHEAD = Counter(
    "voice_ahead",
    "Pauses at which recognition may go ahead; outcome: asked, off (retreat), busy or unreachable (Redis).",
    ["outcome"],
)
WINDOWS = Counter(
    "voice_windows",
    "Windows of recordings that a job needed; outcome: kept from earlier, or recognised.",
    ["outcome"],
)

JOBS = Counter("voice_jobs", "Jobs that workers ended; outcome: ok or failed.", ["queue", "outcome"])
JOB_WAIT_SECONDS = Histogram(
    "voice_job_wait_seconds", "From a job's queueing until a worker took it.", ["queue"], buckets=WAIT_S
)
JOB_SECONDS = TracedHistogram(
    "voice_job_seconds", "Time a worker spent on a job.", ["queue"], buckets=ENGINE_S
)
WHISPER_WINDOWS = Counter(
    "voice_whisper_windows",
    "Windows heard; context: full (30 s), short, or short_then_full where the result was doubtful.",
    ["context"],
)
JOBS_MOVED = Counter(
    "voice_jobs_moved",
    "Jobs that went on to another pool; reason: waited, not_served or failed (its workers could not do it).",
    ["from", "to", "reason"],
)
BATCH_SIZE = Histogram("voice_batch_size", "Recordings recognised in one call of a model.", buckets=SIZES)

RECORDINGS_STORED = Counter("voice_recordings_stored", "Recordings written to object storage and read back.")
RECORDING_BYTES_STORED = Counter("voice_recording_bytes_stored", "PCM bytes of these recordings.")
STORED_AFTER_SECONDS = TracedHistogram(
    "voice_stored_after_seconds", "From a recording's end until it was stored.", buckets=WAIT_S
)
TRANSCRIPTS = Counter("voice_transcripts", "Transcripts that ended; outcome: done or failed.", ["outcome"])
TRANSCRIPT_AFTER_SECONDS = TracedHistogram(
    "voice_transcript_after_seconds", "From a recording's end until its transcript.", buckets=WAIT_S
)


def recording_stored(size_bytes: int, *, sealed_at: datetime, now: datetime) -> None:
    """Count a recording, complete at `sealed_at`, that is now in object storage."""
    RECORDINGS_STORED.inc()
    RECORDING_BYTES_STORED.inc(size_bytes)
    STORED_AFTER_SECONDS.observe((now - sealed_at).total_seconds())


def transcript_ended(outcome: str, *, sealed_at: datetime, now: datetime) -> None:
    """Count the end of the wait for a transcript of a recording that was complete at `sealed_at`."""
    TRANSCRIPTS.labels(outcome=outcome).inc()
    TRANSCRIPT_AFTER_SECONDS.observe((now - sealed_at).total_seconds())
