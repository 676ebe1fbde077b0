"""Candidates, their interviews, and what is promised to them."""

from boards.panels import Board, Graph, Number, Row, or_zero, quantiles, rate

LIMIT = {1: "orange"}
FIRING = 'count(ALERTS{alertstate="firing", severity=~"critical|warning"}) or vector(0)'


def changed(kind: str, status: str) -> str:
    """Return the query of how many rows of a kind got a status in the last hour."""
    return (
        f'sum(increase(interviews_status_changes_total{{kind="{kind}", status="{status}"}}[1h])) or vector(0)'
    )


NOW = Row(
    "Now",
    [
        Number("Candidates inside", "short", {"": 'max(interviews_candidates{state="inside"})'}),
        Number(
            "Candidates who wait",
            "short",
            {"": 'max(interviews_candidates{state="waiting"})'},
            steps=LIMIT,
        ),
        Number("Open connections", "short", {"": "sum(interviews_connections)"}),
        Number("Recordings not stored yet", "short", {"": "max(voice_recordings_waiting)"}),
        Number(
            "Load shedding",
            "short",
            {"": "max(voice_retreat_level)"},
            description="Steps that are off in the process that is furthest: 0 to 6 (ADR 13).",
            steps={1: "orange", 5: "red"},
        ),
        Number("Alerts", "short", {"": FIRING}, steps={1: "red"}),
    ],
)

OBJECTIVES = Row(
    "Objectives",
    [
        Graph(
            "Missed, of all events of an hour",
            "percentunit",
            {"{{slo}}": "slo:errors:ratio_rate1h >= 0"},
            description="docs/monitoring.md has the objectives.",
        ),
        Graph("Frame until acknowledged", "s", quantiles("interviews_ack_seconds")),
        Graph("Recording until stored", "s", quantiles("voice_stored_after_seconds")),
        Graph(
            "Recording until transcript", "s", quantiles("voice_transcript_after_seconds"), has_traces=True
        ),
        Graph(
            "Requests",
            "reqps",
            {"{{status}}": rate("django_http_responses_total_by_status_total", "status")},
            is_stacked=True,
        ),
        Graph("Request", "s", quantiles("django_http_requests_latency_including_middlewares_seconds")),
    ],
)

INTERVIEWS = Row(
    "Interviews and people",
    [
        Graph(
            "In the last hour",
            "short",
            {
                "began": changed("invitation", "started"),
                "finished": changed("session", "finished"),
                "not finished": changed("session", "abandoned"),
                "answers": changed("answer", "accepted"),
            },
        ),
        Graph(
            "Audio acknowledged",
            "Bps",
            {"": rate("interviews_frame_bytes_total")},
        ),
        Graph("Frames acknowledged", "reqps", {"": rate("interviews_frames_total")}),
        Graph(
            "Refused to pages",
            "reqps",
            {
                "command: {{code}}": or_zero(rate("interviews_errors_total", "code")),
                "frame: {{code}}": or_zero(rate("interviews_frames_refused_total", "code")),
            },
        ),
        Graph(
            "Sign-ins, a minute",
            "short",
            {
                "{{outcome}}": or_zero(rate("interviews_sign_ins_total", "outcome", per=60)),
                "key {{reason}}": or_zero(rate("interviews_keys_refused_total", "reason", per=60)),
            },
        ),
        Graph(
            "E-mails, a minute",
            "short",
            {"{{status}}": or_zero(rate("interviews_mails_total", "status", per=60))},
        ),
        Graph(
            "Webhooks, attempts a minute",
            "short",
            {"{{outcome}}": or_zero(rate("interviews_webhook_attempts_total", "outcome", per=60))},
        ),
        Graph(
            "Follow-up questions, a minute",
            "short",
            {
                "{{outcome}}": or_zero(rate("interviews_follow_ups_total", "outcome", per=60)),
                "scripted": rate("interviews_scripted_follow_ups_total", per=60),
            },
        ),
        Graph(
            "Language model",
            "short",
            {
                "tokens a minute, {{direction}}": or_zero(
                    rate("interviews_model_tokens_total", "direction", per=60)
                ),
                "cost a day": rate("interviews_model_cost_total", per=86400),
            },
        ),
        Graph(
            "Draft evaluations, a minute",
            "short",
            {
                "{{outcome}}": or_zero(rate("interviews_draft_evaluations_total", "outcome", per=60)),
                "level: {{outcome}}": or_zero(rate("interviews_suggested_levels_total", "outcome", per=60)),
            },
        ),
        Graph(
            "Live: turns and captions",
            "reqps",
            {
                "turn: {{reason}}": or_zero(rate("voice_turns_total", "reason")),
                "caption: {{outcome}}": or_zero(rate("voice_partials_total", "outcome")),
            },
        ),
    ],
)

BOARD = Board("interviews-product", "Interviews: product", [NOW, OBJECTIVES, INTERVIEWS])
