"""What an attendant knows of its worker from its notes: which jobs it runs, and whether it hangs."""

from dataclasses import dataclass, field, replace
from typing import Any

from voice.inference.reports import EngineReport
from voice.queues.leases import Work


@dataclass(frozen=True, slots=True)
class Running:
    """A job in a slot. started_s: by the attendant's clock.

    allowance_s: the extra time beyond the worker's deadline that the job has requested for long work.
    """

    work: Work
    started_s: float
    allowance_s: float = 0.0


@dataclass(slots=True)
class Ward:
    """What the attendant knows of its worker, from the notes. Times are seconds of the clock it is given."""

    deadline_s: float
    running: dict[str, Running | None] = field(default_factory=dict)
    """By the slot's key in Redis; None while it has no job."""
    reports: list[EngineReport] = field(default_factory=list)
    is_stopping: bool = False
    """Whether the worker takes no more jobs and ends."""
    heard_s: float | None = None
    """When the last note came; None before the first."""

    def note(self, kind: str, fields: dict[str, Any], now_s: float) -> None:
        """Take in a note of the worker."""
        self.heard_s = now_s
        match kind:
            case "slot":
                self.running.setdefault(fields["slot"], None)
            case "began":
                work = Work(fields["job_id"], fields["queue_name"], fields["execution_id"])
                self.running[fields["slot"]] = Running(work, now_s)
            case "allowed":
                self._allow(fields["slot"], fields["seconds"])
            case "ended":
                self.running[fields["slot"]] = None
            case "left":
                self.running.pop(fields["slot"], None)
            case "engines":
                self.reports = [EngineReport(**report) for report in fields["reports"]]
            case "stopping":
                self.is_stopping = True

    def _allow(self, slot: str, seconds: float) -> None:
        if job := self.running.get(slot):
            self.running[slot] = replace(job, allowance_s=seconds)

    def stuck(self, now_s: float) -> str:
        """Return why the worker has to be ended; "" while nothing hangs."""
        for job in filter(None, list(self.running.values())):
            seconds = now_s - job.started_s
            if seconds > self.deadline_s + job.allowance_s:
                return f"job {job.work.job_id} has run for {seconds:.0f} s"
        hung = [report.engine for report in self.reports if report.state == "stuck"]
        return f"{', '.join(hung)} hangs" if hung else ""

    def silent(self, now_s: float) -> str:
        """Return for how long the worker has said nothing, which it does every few seconds; "" while it does.

        A model may hold Python's lock for many seconds, but not for longer than a job may take.
        """
        allowed_s = max([0.0, *(job.allowance_s for job in filter(None, list(self.running.values())))])
        seconds = 0.0 if self.heard_s is None else now_s - self.heard_s
        return f"no sign of life for {seconds:.0f} s" if seconds > self.deadline_s + allowed_s else ""
