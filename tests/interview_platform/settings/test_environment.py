"""Settings come from variables or from files that they name; one start names all that are wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from interview_platform.settings.environment import Environment, Variables
from tests.environment import without_ours

ROOT = Path(__file__).resolve().parents[3]
SECRET = "tests-only-tests-only-tests-only-1"


@pytest.fixture
def variables(monkeypatch):
    """The variables that the next `Environment` reads."""
    found: dict[str, str] = {}
    monkeypatch.setattr(Environment, "ENVIRON", Variables(found, cache=False))
    return found


@pytest.fixture
def file(tmp_path):
    """A function that returns the path of a file with this text."""

    def write(text):
        path = tmp_path / "secret"
        path.write_text(text)
        return str(path)

    return write


def test_setting_is_read_from_the_file_that_it_names(variables, file):
    variables["METRICS_TOKEN_FILE"] = file(" scrape me \n")

    assert Environment()("METRICS_TOKEN", default="") == " scrape me "


def test_settings_of_each_kind_are_read_from_files(variables, file):
    variables |= {"A_FILE": file("7\n"), "B_FILE": file("7\n"), "C_FILE": file("7\n")}
    env = Environment()

    assert [env.int("A", default=1), env.float("B", default=1.0), env.list("C", default=[])] == [
        7,
        7.0,
        ["7"],
    ]


def test_secret_with_dollars_is_no_name_of_a_variable(variables, file):
    variables |= {"A_FILE": file("$HOME"), "B": "$a$b", "HOME": "/root"}
    env = Environment()

    assert [env("A"), env("B")] == ["$HOME", "$a$b"]


def test_setting_with_a_value_and_a_file_is_refused(variables, file):
    variables |= {"A": "one", "A_FILE": file("two")}
    env = Environment()
    env("A", default="")

    assert env.problems == ["A: set it or A_FILE, not both."]


def test_empty_variable_beside_a_file_is_none(variables, file):
    variables |= {"A": "", "A_FILE": file("two")}

    assert Environment()("A", default="") == "two"


def test_file_that_is_missing_is_named(variables, tmp_path):
    variables["A_FILE"] = str(tmp_path / "none")
    env = Environment()
    env("A", default="")

    assert env.problems == [f"A_FILE: {tmp_path / 'none'} cannot be read (No such file or directory)."]


def test_all_wrong_settings_are_told_at_once_without_their_values(variables):
    variables |= {"A": "s3cret", "B": "ture", "C": "s3cret"}
    env = Environment()
    env.int("A", default=1)
    env.bool("B", default=False)
    env.float("C", default=1.0)
    env("D")

    with pytest.raises(ImproperlyConfigured) as error:
        env.check()
    assert str(error.value).splitlines() == [
        "A: write a whole number.",
        "B: write true or false.",
        "C: write a number.",
        "D: set it, or D_FILE to the path of a file with it.",
    ]


def test_start_names_every_setting_that_is_wrong(tmp_path):
    wrong = {
        "TOKEN_KEYS": "short",
        "DATABASE_URL": "postgres://user:s3/cret@host/name",
        "DATABASE_POOL_SIZE": "many",
        "EMAIL_URL": "pigeon://s3cret@host",
        "METRICS_NETWORKS": "10.0.0.0/8,s3cret",
        "BASE_URL": "s3cret.example",
        "CSRF_TRUSTED_ORIGINS": "s3cret.example",
        "CORS_ALLOWED_ORIGINS": "https://s3cret.example/path",
        "SOURCE_URL": "s3cret",
        "LLM_NAME": "s3cret",
        "ANSWERS_SHOWN_DAYS": "0",
        "SESSION_IDLE_HOURS": "-1",
        "VAR_DIR": str(tmp_path),
    }
    command = [sys.executable, "manage.py", "voiceworker", "stt"]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env=without_ours() | wrong,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    names = [line.partition(":")[0] for line in ended.stderr.splitlines()]
    assert ended.returncode == 1
    assert sorted(names) == sorted({"SECRET_KEY", *wrong} - {"VAR_DIR"})
    assert "s3" not in ended.stderr


def test_whole_start_takes_its_secrets_from_files(tmp_path):
    secrets = {
        "SECRET_KEY": "sessions",
        "TOKEN_KEYS": f"{SECRET},{SECRET}2",
        "DATABASE_URL": "postgres://user:pass@host:1/name?sslmode=verify-full&sslrootcert=/ca.pem",
        "REDIS_URL": "redis://:pass@host:1/0",
        "ANYMAIL_POSTMARK_SERVER_TOKEN": "postmark",
        "DEEPGRAM_API_KEY": "deepgram",
        "S3_SECRET_ACCESS_KEY": "storage",
        "METRICS_TOKEN": "metrics",
        "LLM_API_KEY": "model",
    }
    for name, value in secrets.items():
        (tmp_path / name).write_text(value + "\n")
    named = {f"{name}_FILE": str(tmp_path / name) for name in secrets}
    show = (
        "from django.conf import settings as s; d = s.DATABASES['default'];"
        "print(s.SECRET_KEY, *s.TOKEN_KEYS, d['PASSWORD'], d['OPTIONS']['sslmode'], s.REDIS_URL,"
        "s.ANYMAIL['POSTMARK_SERVER_TOKEN'], s.VOICE['CLOUD']['deepgram']['API_KEY'],"
        "s.STORAGES['default']['OPTIONS']['secret_key'],"
        "s.METRICS_TOKEN, s.LLM_API_KEY, sep='\\n')"
    )
    told = {"DJANGO_SETTINGS_MODULE": "interview_platform.settings", "S3_BUCKET": "media"}
    shown = subprocess.run(
        [sys.executable, "-c", show],
        cwd=ROOT,
        env=without_ours() | named | told,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert shown.stdout.split() == [
        *("sessions", SECRET, f"{SECRET}2", "pass", "verify-full", "redis://:pass@host:1/0"),
        *("postmark", "deepgram", "storage", "metrics", "model"),
    ]
