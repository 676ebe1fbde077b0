"""What the scripts do in which order, and what they refuse. The programs they call are stand-ins."""

import json
import os
import re
import shutil
import subprocess
import time

import pytest

from tests.deploy.backups.hosts import BACKUPS, ROOT

PROGRAMS = ("pgbackrest", "rclone", "redis-cli", "psql", "python", "runuser")
FIRST_BACKUP = 1_700_000_000
INFO = json.dumps([{"backup": [{"timestamp": {"start": 1, "stop": FIRST_BACKUP}}]}], separators=(",", ":"))
ANSWERS = {
    "redis-cli": 'case "$1" in dbsize) echo "${KEYS:-0}" ;; esac',
    "pgbackrest": f"case \"$*\" in *info*) echo '{INFO}' ;; esac",
    "psql": "echo f",
    "rclone": 'case "$1" in lsf) printf "2020-01-01/\\n%s/\\n" "$(date -u +%F)" ;; esac',
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
    run("restore.sh", REHEARSAL="yes")
    assert [line for line in ran() if "--archive-mode=off" in line]


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

    assert [line for line in ran() if "purge" in line] == ["rclone purge copy:interviews/removed/2020-01-01"]


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
    assert set(re.findall(r"- -c(\w+=.+)", (BACKUPS / "compose.yaml").read_text())) == of_file


def test_an_unknown_kind_is_refused(run):
    assert run("backup.sh", "everything")[0] == 1
