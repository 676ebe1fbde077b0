"""Work that waits, who does it, and how pools grow and shrink."""

from boards.panels import Board, Graph, Number, Row, or_zero, quantiles, rate

FAILED = or_zero(
    rate("voice_jobs_total", "queue", where='outcome="failed"'), rate("voice_jobs_total", "queue")
)
NOT_SERVED = "count(queue:voice_queue_length:max > 0 and on (queue) queue:voice_queue_workers:max == 0)"

NOW = Row(
    "Now",
    [
        Number("Jobs that wait", "short", {"": "sum(queue:voice_queue_length:max)"}),
        Number("Jobs under way", "short", {"": "sum(max by (queue) (voice_queue_running))"}),
        Number(
            "Longest wait",
            "s",
            {"": "max(queue:voice_queue_oldest_seconds:max)"},
            steps={30: "orange", 300: "red"},
        ),
        Number(
            "Lists with jobs and without workers",
            "short",
            {"": or_zero(NOT_SERVED)},
            steps={1: "red"},
        ),
        Number("Slots of workers", "short", {"": "sum(pool:voice_queue_workers:sum)"}),
        Number(
            "Since the last sweep",
            "s",
            {"": "time() - max(voice_last_sweep_timestamp_seconds)"},
            description="It comes every 5 s.",
            steps={30: "orange", 60: "red"},
        ),
    ],
)

LISTS = Row(
    "Lists",
    [
        Graph("Jobs that wait", "short", {"{{queue}}": "queue:voice_queue_length:max"}, is_stacked=True),
        Graph(
            "Jobs under way", "short", {"{{queue}}": "max by (queue) (voice_queue_running)"}, is_stacked=True
        ),
        Graph("First job has waited", "s", {"{{queue}}": "queue:voice_queue_oldest_seconds:max"}),
        Graph(
            "Wait of jobs, 95th percentile",
            "s",
            {"{{queue}}": quantiles("voice_job_wait_seconds", "queue")["{{queue}} p95"]},
        ),
        Graph("Job", "s", quantiles("voice_job_seconds", "queue"), has_traces=True),
        Graph(
            "Jobs done",
            "reqps",
            {"{{queue}}": rate("voice_jobs_total", "queue", where='outcome="ok"')},
            is_stacked=True,
        ),
        Graph("Jobs failed", "reqps", {"{{queue}}": FAILED}),
        Graph(
            "Moved to another pool",
            "reqps",
            {
                "{{from}} → {{to}}: {{reason}}": or_zero(
                    rate("voice_jobs_moved_total", "from", "to", "reason")
                )
            },
        ),
        Graph("Transcripts to be made", "short", {"{{kind}}": "max by (kind) (voice_transcripts_waiting)"}),
    ],
)

POOLS = Row(
    "Pools",
    [
        Graph(
            "Slots of living workers",
            "short",
            {"{{queue}}": "queue:voice_queue_workers:max"},
            description="KEDA and people add and remove workers: each step of a line is such an event.",
        ),
        Graph(
            "Changes of a pool, in 10 minutes",
            "short",
            {"{{queue}}": "changes(queue:voice_queue_workers:max[10m])"},
            description="Scaling, replacement and crashes.",
        ),
        Graph(
            "Busy",
            "percentunit",
            {"{{queue}}": "max by (queue) (voice_queue_running) / (queue:voice_queue_workers:max > 0)"},
            description="Jobs under way for each slot. A slot may serve several lists.",
        ),
    ],
)

BOARD = Board("interviews-queues", "Interviews: queues", [NOW, LISTS, POOLS])
