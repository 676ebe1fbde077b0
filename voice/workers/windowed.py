"""Recognise a recording window by window, on the way while it grows and at its end. The text is the same.

Where the windows lie follows from the samples alone (`voice.engines.windows`), so what was recognised on the
way is used if it lies exactly in a window of the whole recording, and the others are recognised at the end.
The last window is recognised ahead when silence follows it: it stays as it is unless the speaker goes on.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from voice import metrics
from voice.audio.pcm import SAMPLE_BYTES, samples_from_s16le
from voice.engines import registry
from voice.engines.windows import WindowPlanner
from voice.errors import AudioMissing
from voice.inference import recognizer
from voice.inference.recognizer import OnSegments
from voice.models import Recording
from voice.queues.answers import Forgotten
from voice.recordings import kept, storage
from voice.recordings.kept import Heard
from voice.types import RECOGNITION_RATE_HZ, Recognition, Samples, Segment, Span, Window, Word
from voice.workers import slot

T = TypeVar("T", Segment, Word)
Read = Callable[[int], bytes]
"""Returns the PCM of a recording from this byte on."""


class EngineChanged(Exception):
    """Another engine than expected recognised; what was kept of the first is of no use."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the recognition of a recording depends on beside its samples."""

    recording_id: UUID
    language: str
    hot_words: str
    engine: str
    model: str

    @classmethod
    def of(cls, recording: Recording) -> "Task | None":
        """Return the task; None where the engine for the language takes no windows."""
        engine = recognizer.recognizer().window_engine(recording.language or None)
        return cls(recording.id, recording.language, recording.hot_words, *engine) if engine else None

    def name_of(self, window: Window) -> str:
        return kept.name_of(
            window,
            language=self.language,
            hot_words=self.hot_words,
            engine=self.engine,
            model=self.model,
        )


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording's windows up to where it was read, and its samples from `start` on.

    closed: the windows that are complete. heard: what is known of the windows, by name.
    """

    task: Task
    start: int
    samples: Samples
    planner: WindowPlanner
    closed: tuple[Window, ...]
    heard: Mapping[str, Heard]

    @property
    def progress(self) -> dict[str, Any]:
        """What `opened` needs to go on from here."""
        spans = [[(span.start, span.end) for span in window.spans] for window in self.closed]
        return {"planner": self.planner.state(), "closed": spans}

    def missing(self, windows: Sequence[Window]) -> list[str]:
        """Return the names of the windows that are not known yet."""
        return [name for name in map(self.task.name_of, windows) if name not in self.heard]

    @property
    def n_samples(self) -> int:
        return self.start + len(self.samples)


def opened(task: Task, read: Read) -> Sound:
    """Read a recording, as far as that was not done before, and find its windows.

    Raises:
        AudioMissing: less of it is held than was heard before.
    """
    known = kept.read(task.recording_id)
    planner, closed = _continued(task, known)
    start = planner.needs_from
    samples = samples_from_s16le(read(start * SAMPLE_BYTES))
    if start + len(samples) < planner.position:
        raise AudioMissing((start + len(samples)) * SAMPLE_BYTES, planner.position * SAMPLE_BYTES)
    found = planner.feed(samples[planner.position - start :])
    return Sound(task, start, samples, planner, (*closed, *found), known.heard)


def _continued(task: Task, known: kept.Kept) -> tuple[WindowPlanner, list[Window]]:
    """Return a planner that goes on, and the windows before it; a new one unless all of these are known."""
    stream = registry.voice_activity_detector().stream()
    progress = known.progress or {}
    closed = [Window(tuple(Span(*span) for span in spans)) for spans in progress.get("closed", ())]
    is_known = bool(progress) and all(task.name_of(window) in known.heard for window in closed)
    planner = WindowPlanner.restored(stream, progress["planner"]) if is_known else None
    return (planner, closed) if planner else (WindowPlanner(stream), [])


def recognise_on_the_way(recording: Recording) -> None:
    """Recognise the complete windows of an open recording, and the last one if silence follows it.

    The recording may be complete before this is; then the job of its transcript waits for it.
    """
    task = Task.of(recording)
    if task is None:
        return
    sound = opened(task, partial(storage.read_growing, recording))
    last = sound.planner.rest() if sound.planner.is_silent() else []
    windows = [*sound.closed, *last]
    with kept.working_on(recording.id, sound.missing(windows)):  # until it is written
        heard = _recognised(sound, windows, partial(_check_wanted, recording.id))
        kept.write(recording.id, heard, sound.progress)
        if not _is_wanted(recording.id):  # discarded meanwhile, and what was kept of it erased too early
            kept.erase(recording.id)


def _check_wanted(recording_id: UUID, segments: Sequence[Segment]) -> None:
    if not _is_wanted(recording_id):
        raise Forgotten(recording_id)


def _is_wanted(recording_id: UUID) -> bool:
    return Recording.objects.filter(pk=recording_id).exclude(status=Recording.Status.DISCARDED).exists()


def transcribed(sound: Sound, on_segments: OnSegments) -> Recognition:
    """Return the transcript of a sealed recording, of which `sound` was read.

    Raises:
        EngineChanged: begin again; nothing is kept any more.
    """
    task, windows = sound.task, [*sound.closed, *sound.planner.rest()]
    if kept.wait_for(task.recording_id, sound.missing(windows)):
        sound = replace(sound, heard=kept.read(task.recording_id).heard)
    found = {**sound.heard, **_recognised(sound, windows, on_segments)}
    heard = [found[task.name_of(window)] for window in windows]
    segments = tuple(segment for each in heard for segment in each.segments)
    return Recognition(
        text=" ".join(segment.text for segment in segments),
        language=task.language or (heard[0].language if heard else ""),
        language_probability=1.0 if task.language or not heard else heard[0].language_probability,
        duration_s=sound.n_samples / RECOGNITION_RATE_HZ,
        segments=segments,
        engine=task.engine,
        model=task.model,
    )


def _recognised(sound: Sound, windows: Sequence[Window], on_segments: OnSegments) -> dict[str, Heard]:
    """Recognise those of the windows that are not known yet. Raises EngineChanged."""
    task = sound.task
    missing = [window for window in windows if task.name_of(window) not in sound.heard]
    metrics.WINDOWS.labels(outcome="kept").inc(len(windows) - len(missing))
    metrics.WINDOWS.labels(outcome="recognised").inc(len(missing))
    if not missing:
        return {}
    return _heard_by_window(sound, missing, _recognise(sound, missing, on_segments))


def _recognise(sound: Sound, windows: Sequence[Window], on_segments: OnSegments) -> Recognition:
    task = sound.task
    slot.allow(sum(len(span) for window in windows for span in window.spans) / RECOGNITION_RATE_HZ)
    result = recognizer.recognizer().recognize(
        sound.samples,
        language=task.language or _language_so_far(sound),
        hot_words=task.hot_words or None,
        windows=[_moved(window, -sound.start) for window in windows],
        on_segments=on_segments,
    )
    if (result.engine, result.model) != (task.engine, task.model):
        kept.erase(task.recording_id)
        raise EngineChanged
    return result


def _language_so_far(sound: Sound) -> str | None:
    """Return the language that was detected in the first window; a recording has one."""
    first = sound.heard.get(sound.task.name_of(sound.closed[0])) if sound.closed else None
    return first.language if first else None


def _heard_by_window(sound: Sound, windows: Sequence[Window], result: Recognition) -> dict[str, Heard]:
    """Return the part of the result for each of the windows that were recognised together."""
    begins_s = [(window.spans[0].start - sound.start) / RECOGNITION_RATE_HZ for window in windows]
    after_s = sound.start / RECOGNITION_RATE_HZ
    parts: list[list[Segment]] = [[] for _ in windows]
    for segment in result.segments:
        parts[max(0, bisect_right(begins_s, segment.start_s) - 1)].append(_later(segment, after_s))
    return {
        sound.task.name_of(window): Heard(tuple(part), result.language, result.language_probability)
        for window, part in zip(windows, parts, strict=True)
    }


def _later(segment: Segment, by_s: float) -> Segment:
    def moved(part: T) -> T:
        return replace(part, start_s=round(part.start_s + by_s, 3), end_s=round(part.end_s + by_s, 3))

    return replace(moved(segment), words=tuple(map(moved, segment.words)))


def _moved(window: Window, by: int) -> Window:
    return Window(tuple(Span(span.start + by, span.end + by) for span in window.spans))
