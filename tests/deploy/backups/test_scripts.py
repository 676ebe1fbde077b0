"""What the scripts do in which order, and what they refuse. The programs they call are stand-ins."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from tests.deploy.backups.hosts import BACKUPS, ROOT

PROGRAMS = ("pgbackrest", "rclone", "redis-cli", "psql", "python", "runuser")
FIRST_BACKUP = 1_700_000_000
INFO = json.dumps([{"backup": [{"timestamp": {"start": 1, "stop": FIRST_BACKUP}}]}], separators=(",", ":"))
ANSWERS = {
    "redis-cli": 'case "$1" in dbsize) echo "${KEYS:-0}" ;; esac',
    "pgbackrest": f"case \"$*\" in *info*) echo '{INFO}' ;; esac",
    "psql": 'case "$*" in *archive_mode*) echo "${ARCHIVES:-off}" ;; *) echo f ;; esac',
    "rclone": """cat >/dev/null  # as `docker compose run` does
case "$*" in
  *removed) printf "2020-01-01/\\n2020-01-02/\\n%s/\\n" "$(date -u +%F)" ;;
  lsf\\ live:keys) echo "$LIVE_KEYS" ;;
  lsf\\ live:*) echo "$LIVE" ;;
  lsf*) echo recordings/ ;;
esac
""",
}


@pytest.fixture
def programs(tmp_path):
    """A folder with the stand-ins, and the file `ran` with a line for each call."""
    for name in PROGRAMS:
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/ran\n{ANSWERS.get(name, "")}\n')
        program.chmod(0o755)
    (tmp_path / "ran").touch()
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.fixture
def run(programs):
    def run(script: str, *arguments: str, **settings: str) -> tuple[int, str]:
        env = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "BACKUPS_ENV": "/dev/null",
            "OBJECTS": "live:interviews",
            "OBJECTS_COPY": "copy:interviews",
            "PGBACKREST_PG1_PATH": str(programs / "data"),
            "START_DATABASE": f"echo started >>{programs}/ran",
            "REDIS_CLI": "redis-cli",
            "LOCK_DIR": str(programs),
            "LIVE": "recordings/",
            **settings,
        }
        done = subprocess.run(
            [str(BACKUPS / script), *arguments],
            env=env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    return run


@pytest.fixture
def ran(programs):
    return lambda: (programs / "ran").read_text().splitlines()


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not on this machine")
def test_shellcheck_finds_nothing():
    scripts = sorted(str(script) for script in BACKUPS.glob("*.sh"))
    found = subprocess.run(
        ["shellcheck", "-x", *scripts], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.stdout == ""


def test_a_restore_brings_objects_back_before_rows_and_settles_them_last(run, ran):
    assert run("restore.sh", TIME="2024-01-01 00:00:00+01:00") == (0, "")

    steps = [line for line in ran() if "info" not in line and "lsf" not in line]
    order = ["copy", "flushall", "--target=2023-12-31 23:00:00+00", "started", "erase_again", "--mend"]
    assert [next(n for n, line in enumerate(steps) if word in line) for word in order] == sorted(
        next(n for n, line in enumerate(steps) if word in line) for word in order
    )


def test_a_restore_without_a_time_goes_to_the_end_of_the_log(run, ran):
    assert run("restore.sh")[0] == 0
    assert not [line for line in ran() if "--target" in line]


def test_a_rehearsal_hands_no_log_to_the_repository(run, ran):
    start = 'echo "started with $ARCHIVE_MODE" >>"$LOCK_DIR/ran"'
    assert run("restore.sh", REHEARSAL="yes", START_DATABASE=start) == (0, "")
    assert [line for line in ran() if "--archive-mode=off" in line]
    assert "started with off" in ran()


def test_a_rehearsal_fails_where_the_server_hands_over_its_log(run, ran):
    status, said = run("restore.sh", REHEARSAL="yes", ARCHIVES="on")

    assert (status, "Stop it now" in said) == (1, True)
    assert not [line for line in ran() if "migrate" in line]


@pytest.mark.parametrize("rehearsal", ["yes", ""])
def test_only_a_rehearsal_switches_webhooks_off_before_it_erases(run, ran, rehearsal):
    run("restore.sh", REHEARSAL=rehearsal)

    commands = [line.split()[2] for line in ran() if line.startswith("python")]
    off = ["switch_webhooks_off"] if rehearsal else []
    assert commands == ["migrate", *off, "erase_again", "verify_recordings"]


def test_a_restore_makes_the_directory_of_an_empty_server(run, programs):
    (programs / "data").rmdir()

    assert run("restore.sh") == (0, "")
    assert (programs / "data").stat().st_mode & 0o777 == 0o700


def test_a_restore_copies_each_day_of_what_was_deleted_since(run, ran):
    run("restore.sh", TIME="2024-01-01 00:00:00+01:00")
    run("restore.sh", TIME="2023-11-15")

    copied = [line.split()[-2] for line in ran() if line.startswith("rclone copy")]
    today = f"copy:interviews/removed/{datetime.now(UTC).date()}"
    assert copied == ["copy:interviews/live", today] * 2


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"TIME": "yesterday-ish"}, "is no time"),
        ({"TIME": "2999-01-01"}, "in the future"),
        ({"TIME": "2020-01-01"}, "The first backup is of 2023-11-14 22:13:20+00"),
        ({"KEYS": "7"}, "Redis is not empty"),
    ],
)
def test_a_restore_refuses(run, ran, settings, reason):
    status, said = run("restore.sh", **settings)

    assert status == 1
    assert reason in said
    assert not [line for line in ran() if "copy" in line or "flushall" in line or "started" in line]


@pytest.mark.parametrize(
    ("file", "overwrite", "is_refused"),
    [("PG_VERSION", "", True), ("PG_VERSION", "yes", False), ("postmaster.pid", "yes", True)],
)
def test_files_of_postgresql_are_replaced_only_if_it_is_stopped_and_that_is_wanted(
    run, programs, file, overwrite, is_refused
):
    (programs / "data" / file).touch()

    assert run("restore.sh", OVERWRITE=overwrite)[0] == int(is_refused)


def test_what_was_deleted_longer_ago_than_backups_reach_is_purged(run, ran):
    assert run("backup.sh", "objects")[0] == 0

    days = ["2020-01-01", "2020-01-02"]
    assert [line for line in ran() if "purge" in line] == [
        f"rclone purge copy:interviews/removed/{day}" for day in days
    ]


def test_an_empty_bucket_does_not_empty_its_copy(run, ran):
    status, said = run("backup.sh", "objects", LIVE="")

    assert (status, "restore first" in said) == (1, True)
    assert not [line for line in ran() if "sync" in line]


@pytest.mark.parametrize(("script", "arguments"), [("backup.sh", ["objects"]), ("restore.sh", [])])
def test_exports_which_hold_plain_recordings_are_in_no_copy(run, ran, script, arguments):
    assert run(script, *arguments)[0] == 0

    copies = [line for line in ran() if line.startswith(("rclone sync", "rclone copy"))]
    assert copies
    assert all("--exclude /exports/**" in line for line in copies)


def test_exports_of_a_copy_of_before_are_taken_out_of_it(run, ran):
    run("backup.sh", "objects")

    [copied] = [line for line in ran() if line.startswith("rclone sync")]
    assert "--delete-excluded" in copied


KEYS = {"DATA_KEYS": "live:keys", "DATA_KEYS_COPY": "elsewhere:keys"}


def test_data_keys_are_copied_after_the_objects_to_a_place_of_their_own(run, ran):
    assert run("backup.sh", LIVE_KEYS="keys/", **KEYS)[0] == 0

    copied = [line.split()[-2:] for line in ran() if line.startswith("rclone sync")]
    assert copied == [
        ["live:interviews", "copy:interviews/live"],
        ["live:keys", "elsewhere:keys/live"],
    ]
    assert "--checksum" in next(line for line in ran() if "live:keys elsewhere" in line)


def test_without_data_keys_none_are_copied(run, ran):
    assert run("backup.sh", "keys") == (0, "")
    assert run("restore.sh") == (0, "")
    assert not [line for line in ran() if "keys" in line]


@pytest.mark.parametrize(("days", "is_purged"), [("30", False), ("2", False), ("1", True)])
def test_destroyed_keys_are_kept_for_erasure_backup_days_at_most(run, ran, programs, days, is_purged):
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    answers = ANSWERS["rclone"].replace("2020-01-02", str(yesterday))
    (programs / "rclone").write_text(f'#!/bin/sh\necho "rclone $*" >>{programs}/ran\n{answers}\n')

    assert run("backup.sh", "keys", LIVE_KEYS="keys/", ERASURE_BACKUP_DAYS=days, **KEYS)[0] == 0

    purged = [line.rpartition("/")[2] for line in ran() if "purge" in line]
    assert purged == ["2020-01-01", *([str(yesterday)] if is_purged else [])]


@pytest.mark.parametrize(
    "settings",
    [
        {"DATA_KEYS": "live:interviews/keys"},
        {"DATA_KEYS_COPY": "copy:interviews/keys"},
        {"DATA_KEYS_COPY": ""},
        {"ERASURE_BACKUP_DAYS": "forever"},
    ],
)
@pytest.mark.parametrize(("script", "arguments"), [("backup.sh", ["keys"]), ("restore.sh", [])])
def test_data_keys_beside_what_they_encrypt_are_refused(run, ran, settings, script, arguments):
    assert run(script, *arguments, **KEYS | settings)[0] == 1
    assert ran() == []


@pytest.mark.parametrize(("held", "is_copied"), [("", True), ("keys/", False)])
def test_only_a_lost_store_of_keys_comes_back_and_nothing_that_was_destroyed(run, ran, held, is_copied):
    assert run("restore.sh", TIME="2023-11-15", LIVE_KEYS=held, **KEYS) == (0, "")

    copied = [line.split()[-2:] for line in ran() if line.startswith("rclone copy") and "keys" in line]
    assert copied == ([["elsewhere:keys/live", "live:keys"]] if is_copied else [])


@pytest.mark.parametrize(
    ("held", "script", "arguments"),
    [
        ("objects", "restore.sh", ()),
        ("database", "restore.sh", ()),
        ("objects", "backup.sh", ("objects",)),
        ("keys", "backup.sh", ("keys",)),
        ("keys", "restore.sh", ()),
        ("database", "backup.sh", ("diff",)),
    ],
)
def test_backups_and_a_restore_do_not_meet(run, ran, programs, held, script, arguments):
    with (programs / f"interviews-backup-{held}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, said = run(script, *arguments, **KEYS)

    assert (status, "under way" in said) == (1, True)
    assert ran() == []


def test_a_server_that_a_restore_starts_does_not_keep_its_locks(run, programs):
    keeps = 'ls -l /proc/self/fd >"$LOCK_DIR/open"'
    run("restore.sh", START_DATABASE=keeps)

    assert "interviews-backup" not in (programs / "open").read_text()


def test_a_backup_tells_when_it_last_succeeded(run, programs):
    began = int(time.time())
    run("backup.sh", "diff", METRICS_DIR=str(programs))

    name, _, value = (programs / "interview_backup_database.prom").read_text().partition(" ")
    assert name == 'interview_backup_last_success_timestamp_seconds{kind="database"}'
    assert int(value) >= began


def test_a_backup_that_fails_says_so_and_tells_no_success(run, programs):
    (programs / "pgbackrest").write_text("#!/bin/sh\nexit 9\n")

    assert run("backup.sh", METRICS_DIR=str(programs))[0] == 9
    assert not list(programs.glob("*.prom"))


def test_compose_sets_postgresql_as_the_file_does():
    lines = (BACKUPS / "postgresql.conf").read_text().splitlines()
    of_file = {line.replace(" = ", "=").replace("'", "") for line in lines if " = " in line}
    command = yaml.safe_load((BACKUPS / "compose.yaml").read_text())["services"]["postgres"]["command"]
    assert command[0] == "postgres"
    of_compose = {option.removeprefix("-c").replace("${ARCHIVE_MODE:-on}", "on") for option in command[1:]}
    assert of_compose == of_file


def test_an_unknown_kind_is_refused(run):
    assert run("backup.sh", "everything")[0] == 1


def test_notes_of_backups_are_written_where_node_exporter_reads():
    default = re.search(r"\$\{METRICS_DIR:-(.+?)\}", (ROOT / "deploy/monitoring/compose.yaml").read_text())[1]
    for example in ("compose.env.example", "hosts.env.example"):
        assert f"\nMETRICS_DIR={default}\n" in (BACKUPS / example).read_text()
