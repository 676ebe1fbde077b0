"""What is used of what is there. The last row needs the node exporter."""

from boards.panels import Board, Graph, Number, Row, or_zero, rate

FREE = 'node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|squashfs|ramfs"}'
CORES = 'count by (instance) (node_cpu_seconds_total{mode="idle"})'
IDLE = rate("node_cpu_seconds_total", "instance", where='mode="idle"')

NOW = Row(
    "Now",
    [
        Number("Web processes", "short", {"": 'sum(up{job="web"})'}),
        Number("Workers", "short", {"": 'sum(up{job="worker"})'}),
        Number("Not reached", "short", {"": "count(up == 0) or vector(0)"}, steps={1: "red"}),
        Number(
            "Candidates a web process",
            "short",
            {"": 'sum(interviews_connections) / sum(up{job="web"})'},
            description="One process carries about 1000 (docs/performance.md).",
        ),
        Number("Load shedding", "short", {"": "max(voice_retreat_level)"}, steps={1: "orange", 5: "red"}),
        Number(
            "Started again, in an hour",
            "short",
            {"": 'sum(changes(process_start_time_seconds{job=~"web|worker|cron"}[1h])) or vector(0)'},
            steps={3: "orange"},
        ),
    ],
)

PROCESSES = Row(
    "Processes",
    [
        Graph("Connections", "short", {"{{instance}}": "sum by (instance) (interviews_connections)"}),
        Graph(
            "Processor",
            "short",
            {"{{job}} {{instance}}": "rate(process_cpu_seconds_total[$__rate_interval])"},
            description="Cores.",
        ),
        Graph("Memory", "bytes", {"{{job}} {{instance}}": "process_resident_memory_bytes"}),
        Graph("Open files", "percentunit", {"{{job}} {{instance}}": "process_open_fds / process_max_fds"}),
        Graph(
            "Load shedding: steps taken",
            "reqps",
            {"{{step}} {{direction}}": or_zero(rate("voice_retreat_changes_total", "step", "direction"))},
        ),
        Graph("Load shedding: level", "short", {"{{instance}}": "max by (instance) (voice_retreat_level)"}),
        Graph("Processes that are reached", "short", {"{{job}}": "sum by (job) (up)"}),
        Graph("Scrape", "s", {"{{job}}": "max by (job) (scrape_duration_seconds)"}),
        Graph(
            "Requests a web process",
            "reqps",
            {"{{instance}}": rate("django_http_requests_before_middlewares_total", "instance")},
        ),
    ],
)

MACHINES = Row(
    "Machines",
    [
        Graph(
            "Processor in use",
            "percentunit",
            {"{{instance}}": f"1 - {IDLE} / {CORES}"},
        ),
        Graph(
            "Memory in use",
            "percentunit",
            {"{{instance}}": "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"},
        ),
        Graph(
            "Disk in use",
            "percentunit",
            {"{{instance}} {{mountpoint}}": f"1 - {FREE} / node_filesystem_size_bytes"},
        ),
        Graph(
            "Network",
            "Bps",
            {
                "in {{instance}}": rate("node_network_receive_bytes_total", "instance", where='device!="lo"'),
                "out {{instance}}": rate(
                    "node_network_transmit_bytes_total", "instance", where='device!="lo"'
                ),
            },
        ),
        Graph(
            "Disk",
            "Bps",
            {
                "read {{instance}}": rate("node_disk_read_bytes_total", "instance"),
                "written {{instance}}": rate("node_disk_written_bytes_total", "instance"),
            },
        ),
        Graph(
            "Load for each core",
            "short",
            {"{{instance}}": f"node_load1 / on (instance) {CORES}"},
        ),
    ],
)

BOARD = Board("interviews-capacity", "Interviews: capacity", [NOW, PROCESSES, MACHINES])
