"""Redis, PostgreSQL, object storage, the edge, backups. These panels need the exporters."""

from boards.panels import Board, Graph, Number, Row, or_zero, rate

OURS = 'datname!~"template.*|"'
HIT = rate("pg_stat_database_blks_hit", "datname", where=OURS)
MISSED = rate("pg_stat_database_blks_read", "datname", where=OURS)
TIME = rate("redis_commands_duration_seconds_total", "cmd")
COUNT = rate("redis_commands_total", "cmd")

NOW = Row(
    "Now",
    [
        Number("Redis", "short", {"": "min(redis_up)"}, description="1: it answers."),
        Number("PostgreSQL", "short", {"": "min(pg_up)"}, description="1: it answers."),
        Number("NGINX", "short", {"": "min(nginx_up)"}, description="1: it answers."),
        Number(
            "Redis: memory",
            "percentunit",
            {"": "max(redis_memory_used_bytes / (redis_memory_max_bytes > 0))"},
            steps={0.7: "orange", 0.85: "red"},
        ),
        Number(
            "Certificate",
            "s",
            {"": "min(probe_ssl_earliest_cert_expiry - time())"},
            description="Until it ends.",
        ),
        Number(
            "Last backup of the database",
            "s",
            {"": 'time() - max(interview_backup_last_success_timestamp_seconds{kind="database"})'},
            steps={90000: "red"},
        ),
    ],
)

REDIS = Row(
    "Redis",
    [
        Graph(
            "Memory",
            "bytes",
            {
                "used {{instance}}": "redis_memory_used_bytes",
                "limit {{instance}}": "redis_memory_max_bytes",
                "as the platform sees it": "max(voice_redis_bytes)",
            },
        ),
        Graph(
            "Clients",
            "short",
            {"{{instance}}": "redis_connected_clients", "blocked {{instance}}": "redis_blocked_clients"},
        ),
        Graph(
            "Commands",
            "ops",
            {"{{instance}}": rate("redis_commands_processed_total", "instance")},
        ),
        Graph(
            "Time of a command",
            "s",
            {"{{cmd}}": f"topk(8, {TIME} / {COUNT} >= 0)"},
        ),
        Graph(
            "Network",
            "Bps",
            {
                "in {{instance}}": "rate(redis_net_input_bytes_total[$__rate_interval])",
                "out {{instance}}": "rate(redis_net_output_bytes_total[$__rate_interval])",
            },
        ),
        Graph(
            "Evicted keys, and log to the disk",
            "short",
            {
                "evicted {{instance}}": "rate(redis_evicted_keys_total[$__rate_interval])",
                "AOF is written {{instance}}": "redis_aof_last_write_status",
            },
        ),
    ],
)

POSTGRESQL = Row(
    "PostgreSQL",
    [
        Graph(
            "Connections",
            "short",
            {
                "{{state}}": "sum by (state) (pg_stat_activity_count)",
                "most": "max(pg_settings_max_connections)",
            },
        ),
        Graph(
            "Transactions",
            "ops",
            {
                "committed {{datname}}": rate("pg_stat_database_xact_commit", "datname", where=OURS),
                "rolled back {{datname}}": rate("pg_stat_database_xact_rollback", "datname", where=OURS),
            },
        ),
        Graph("Longest transaction", "s", {"{{state}}": "max by (state) (pg_stat_activity_max_tx_duration)"}),
        Graph(
            "Read from memory",
            "percentunit",
            {"{{datname}}": f"{HIT} / ({HIT} + {MISSED}) >= 0"},
        ),
        Graph(
            "Size",
            "bytes",
            {"{{datname}}": 'max by (datname) (pg_database_size_bytes{datname!~"template.*"})'},
        ),
        Graph(
            "Deadlocks, and replicas behind",
            "short",
            {
                "deadlocks {{datname}}": rate("pg_stat_database_deadlocks", "datname", where=OURS),
                "seconds behind {{instance}}": or_zero("(pg_replication_lag_seconds or pg_replication_lag)"),
            },
        ),
    ],
)

EDGE = Row(
    "Edge, object storage, backups",
    [
        Graph(
            "NGINX: connections",
            "short",
            {"{{instance}}": "nginx_connections_active", "waiting {{instance}}": "nginx_connections_waiting"},
        ),
        Graph(
            "Probes",
            "s",
            {"{{job}} {{instance}}": "probe_duration_seconds"},
            description="PgBouncer, object storage and the public address, tried by the blackbox exporter.",
        ),
        Graph(
            "Stores that processes reach",
            "short",
            {"{{store}}": "min by (store) (voice_store_up)"},
            description="1: every process reaches it.",
        ),
        Graph("Probes that succeed", "short", {"{{job}} {{instance}}": "probe_success"}),
        Graph(
            "Recordings stored",
            "Bps",
            {"": "sum(rate(voice_recording_bytes_stored_total[$__rate_interval]))"},
        ),
        Graph("Recordings that wait", "bytes", {"": "max(voice_recording_bytes_waiting)"}),
        Graph(
            "Age of backups",
            "s",
            {"{{kind}}": "time() - max by (kind) (interview_backup_last_success_timestamp_seconds)"},
        ),
    ],
)

BOARD = Board("interviews-stores", "Interviews: stores and edge", [NOW, REDIS, POSTGRESQL, EDGE])
