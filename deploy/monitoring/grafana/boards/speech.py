"""Recognition and synthesis: how fast, how often they fail, what stands in."""

from boards.panels import Board, Graph, Number, Row, or_zero, quantiles, rate

ENGINE = "{{direction}} {{engine}}"
CALLS = rate("voice_engine_seconds_count", "direction", "engine")

NOW = Row(
    "Now",
    [
        Number(
            "Engines left alone",
            "short",
            {"": "sum(max by (direction, engine) (voice_breaker_state) == bool 2)"},
            steps={1: "red"},
        ),
        Number("Cache: hits", "percentunit", {"": "voice_cache_requests:hit_ratio_rate5m >= 0 or vector(0)"}),
        Number("Cache: size", "bytes", {"": "max(voice_cache_bytes)"}),
        Number("Cache: texts", "short", {"": "max(voice_cache_items)"}),
        Number("Open sockets of the service", "short", {"": "sum(voice_connections) or vector(0)"}),
        Number("Transcripts to be made", "short", {"": "sum(max by (kind) (voice_transcripts_waiting))"}),
    ],
)

ENGINES = Row(
    "Engines",
    [
        Graph(
            "Recognition: one call",
            "s",
            quantiles("voice_engine_seconds", "engine", where='direction="recognition"'),
            has_traces=True,
        ),
        Graph(
            "Synthesis: one call",
            "s",
            quantiles("voice_engine_seconds", "engine", where='direction="synthesis"'),
            has_traces=True,
        ),
        Graph(
            "Real-time factor, 95th percentile",
            "short",
            {ENGINE: "direction_engine:voice_engine_real_time_factor:p95_5m >= 0"},
            description="Time inside the engine by the length of the audio. From 1 on the queue grows.",
        ),
        Graph("Calls", "reqps", {ENGINE: CALLS}),
        Graph("Failed", "percentunit", {ENGINE: "direction_engine:voice_engine_failures:ratio_rate5m >= 0"}),
        Graph(
            "Retried, and served by another",
            "reqps",
            {
                f"{ENGINE}: again": or_zero(rate("voice_engine_retries_total", "direction", "engine"), CALLS),
                "{{direction}} {{from}} → {{to}}": or_zero(
                    rate("voice_engine_fallbacks_total", "direction", "from", "to")
                ),
            },
        ),
        Graph(
            "Breakers",
            "short",
            {ENGINE: "max by (direction, engine) (voice_breaker_state)"},
            description="0 closed, 1 half-open, 2 open.",
        ),
        Graph(
            "Windows of answers",
            "reqps",
            {"{{outcome}}": or_zero(rate("voice_windows_total", "outcome"))},
            description="Kept: recognised while the candidate still spoke.",
        ),
        Graph(
            "Recordings a call of a model",
            "short",
            {
                "mean": "sum(rate(voice_batch_size_sum[$__rate_interval])) "
                "/ sum(rate(voice_batch_size_count[$__rate_interval])) >= 0 or vector(0)"
            },
        ),
    ],
)

SERVICE = Row(
    "Speech service",
    [
        Graph(
            "Request until first audio",
            "s",
            quantiles("voice_first_audio_seconds", "source"),
            has_traces=True,
        ),
        Graph("Call until answered", "s", quantiles("voice_call_seconds", "kind"), has_traces=True),
        Graph("Call until taken", "s", quantiles("voice_call_wait_seconds", "kind")),
        Graph(
            "Calls by outcome",
            "reqps",
            {"{{kind}}: {{outcome}}": rate("voice_calls_total", "kind", "outcome")},
        ),
        Graph("Refused", "reqps", {"{{reason}}": or_zero(rate("voice_refused_total", "reason"))}),
        Graph(
            "Cache: looks",
            "reqps",
            {"{{outcome}}": or_zero(rate("voice_cache_requests_total", "outcome"))},
        ),
    ],
)

LIVE = Row(
    "Live",
    [
        Graph(
            "Voice activity: processor for a second of audio",
            "s",
            {
                "": "sum(rate(voice_vad_seconds_total[$__rate_interval])) "
                "/ sum(rate(voice_heard_seconds_total[$__rate_interval])) >= 0 or vector(0)"
            },
        ),
        Graph(
            "Ahead of the end of a turn",
            "reqps",
            {"{{outcome}}": or_zero(rate("voice_ahead_total", "outcome"))},
        ),
        Graph(
            "Transcripts",
            "reqps",
            {
                "{{outcome}}": or_zero(rate("voice_transcripts_total", "outcome")),
                "windows of Whisper: {{context}}": or_zero(rate("voice_whisper_windows_total", "context")),
            },
        ),
    ],
)

BOARD = Board("interviews-speech", "Interviews: speech", [NOW, ENGINES, SERVICE, LIVE])
