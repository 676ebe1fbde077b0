import asyncio
import base64
import contextlib
import io
import json
import logging
import random
import sys
import threading

import pytest
from django.conf import settings as django_settings
from django.test import RequestFactory
from django.urls import resolve

from interview_platform.backends import logs
from interview_platform.server.access_log import RouteLog
from voice.infra import correlation

MADE_UP = random.Random(1)  # the same in each process, since tests are named by it


def urlsafe() -> str:
    """Return 32 characters, as `secrets.token_urlsafe(24)` does."""
    return base64.urlsafe_b64encode(MADE_UP.randbytes(24)).decode()


TOKEN = "aB3_" + urlsafe()
SIGNED = "0194e7a4-1111-7222-8333-444455556666:1tXyZ2:Kx9-" + urlsafe()
SESSION = "q1" + MADE_UP.randbytes(15).hex()
KEY = "ipk_" + urlsafe()
SECRETS = (TOKEN, SIGNED, SESSION, KEY, "hunter2!x")


@pytest.fixture
def written():
    """Log something as the platform does; return what is written."""
    with logging_by(logs.SecretFreeFormatter("%(levelname)s %(message)s")) as write:
        yield write


@pytest.fixture
def written_json():
    """Log something with LOG_FORMAT=json; return the object that is written."""
    with logging_by(logs.EcsFormatter()) as write:
        yield lambda *args, **options: json.loads(write(*args, **options))


@contextlib.contextmanager
def logging_by(formatter):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.getLogger("tests.logs")
    logger.addHandler(handler)
    logger.propagate = False

    def write(message, *args, **options):
        stream.truncate(stream.seek(0))
        logger.error(message, *args, **options)
        return stream.getvalue()

    yield write
    logger.removeHandler(handler)
    logger.propagate = True


messages_that_open_something = pytest.mark.parametrize(
    "message",
    [
        f"Forbidden (CSRF): /i/{TOKEN}/",
        f"Not Found: /ws/interviews/{TOKEN}/",
        f"No route found for path 'ws/interviews/{TOKEN}'.",
        f"<WebSocketProtocol client=['127.0.0.1', 1] path=b'/ws/interviews/{TOKEN}/'>",
        f"Change your form to point to 127.0.0.1:8000/i/{TOKEN}/ (note the trailing slash)",
        f'"GET /recordings/{SIGNED}" 404',
        f"Reverse for 'room' with keyword arguments '{{'token': '{TOKEN}'}}' not found",
        f"DETAIL:  Key (token)=({TOKEN}) already exists.",
        f"/I/{TOKEN}/ and %2Fi%2F{TOKEN}",
        "Error connecting to redis://:hunter2!x@redis:6379/0.",
        "connection to postgres://interviews:hunter2!x@db/interviews failed",
        "password=hunter2!x host=db",
        f"headers=[(b'authorization', b'Bearer {KEY}'), (b'host', b'x')]",
        f"Authorization: Basic {SESSION}",
        f"Cookie: sessionid={SESSION}; csrftoken={TOKEN}",
        f"Sec-WebSocket-Protocol: voice, key.{KEY}",
        f"key {KEY} is unknown",
        f"session {SESSION} of {SESSION}",
        f"https://s3/b/k?X-Amz-Credential={TOKEN}&X-Amz-Signature={'0f' * 16}{TOKEN}&X-Amz-Expires=300",
        f"https://s3/b/k?AWSAccessKeyId=AKIA&Signature={TOKEN}%3D&Expires=1",
    ],
)


@messages_that_open_something
def test_nothing_that_opens_something_is_logged(written, message):
    assert not [secret for secret in SECRETS if secret in written("%s", message)]


@messages_that_open_something
def test_nothing_that_opens_something_is_logged_as_json(written_json, message):
    try:
        raise ValueError(message)
    except ValueError as error:
        line = json.dumps(written_json("%s", message, exc_info=error, extra={"labels.job": message}))
    assert not [secret for secret in SECRETS if secret in line]
    assert "ValueError" in line


def test_json_line_says_which_request_and_program_it_is_of(written_json, monkeypatch):
    monkeypatch.setattr(logs.tracing, "trace_id", lambda: "0a" * 16)
    with correlation.serving("0f" * 16):
        line = written_json("job %s", "store-1", extra={"labels.queue": "default"})

    assert line["message"] == "job store-1"
    assert (line["http"]["request"]["id"], line["trace"]["id"]) == ("0f" * 16, "0a" * 16)
    assert line["labels"] == {"queue": "default"}
    assert line["service"]["name"] == "interview-platform"
    assert "request" not in written_json("no request").get("http", {})


def test_json_line_has_nothing_else_of_what_libraries_add(written_json):
    request = RequestFactory().get("/i/anything-at-all/")
    request.resolver_match = resolve("/i/anything-at-all/")
    line = written_json("Forbidden: %s", request.path, extra={"request": request, "status_code": 403})

    assert line["message"] == "Forbidden: /i/<str:token>/"
    assert "anything-at-all" not in json.dumps(line)
    assert not {"request", "status_code"} & line.keys()


@pytest.mark.parametrize(
    "message",
    [
        "session 4f is now finished by candidate",
        "job transcribe-0194e7a4-1111-7222-8333-444455556666 failed: OSError in base.py:12",
        "speech d2a84f4b8b650937ec8f73cd8be2c74add5a911ba64df27458ed8229da804a26 is ready",
        "queue stt-later not reached (ConnectionError): whoever needs the job queues it again",
        "I/O error in voice.workers.transcription.transcribe_file",
        "WebSocketConsumerWithSomeLongName: store not reached (TimeoutError)",
        "the password is missing: set DATABASE_URL",
    ],
)
def test_what_helps_stays(written, message):
    assert written("%s", message) == f"ERROR {message}\n"


def test_traceback_is_without_secrets(written):
    try:
        raise ValueError(f"No route found for path 'ws/interviews/{TOKEN}'.")
    except ValueError as error:
        text = written("Exception inside application: %s", error, exc_info=error)
    assert TOKEN not in text
    assert "Traceback" in text
    assert text.count("ws/interviews/…") >= 2


def test_path_of_a_request_is_its_pattern(written):
    request = RequestFactory().get("/i/anything-at-all/")
    request.resolver_match = resolve("/i/anything-at-all/")
    assert written("Forbidden: %s", request.path, extra={"request": request}) == (
        "ERROR Forbidden: /i/<str:token>/\n"
    )
    request = RequestFactory().get("/somewhere/it-was-secret")
    text = written("Not Found: %s", request.path, extra={"request": request})
    assert text == "ERROR Not Found: an unknown address\n"


def test_secrets_among_the_settings_are_known_by_value(written, settings):
    settings.REDIS_URL = "redis://:pa%20ss%2Fword@redis/0"
    settings.VOICE = {"CLOUD": {"groq": {"API_KEY": "short words of a key"}}}
    text = written("redis said pa ss/word, groq said short words of a key")
    assert text == "ERROR redis said …, groq said …\n"


def test_every_logger_writes_through_the_one_handler():
    """Libraries and Django give some loggers handlers of their own, which would write secrets."""
    import rq.cron  # noqa: F401  has such handlers unless the root has one

    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    own = {one.name for one in loggers if any(type(h) is not logging.NullHandler for h in one.handlers)}
    assert own == set()
    assert {one.name for one in loggers if not one.propagate} == set()
    ours = [h for h in logging.root.handlers if type(h) is logging.StreamHandler]
    assert [type(handler.formatter) for handler in ours] == [logs.SecretFreeFormatter]


def test_uncaught_exceptions_are_logged_without_secrets(capfd, monkeypatch):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.SecretFreeFormatter("%(message)s"))
    monkeypatch.setattr(logging.getLogger(logs.__name__), "handlers", [handler])
    monkeypatch.setattr(threading, "excepthook", logs._log_uncaught_in_thread)
    monkeypatch.setattr(sys, "unraisablehook", logs._log_unraisable)

    def fail():
        raise OSError(f"/i/{TOKEN}/")

    class Dying:
        def __del__(self):
            fail()

    thread = threading.Thread(target=fail, name="listening")
    thread.start()
    thread.join()
    Dying()
    try:
        fail()
    except OSError:
        logs._log_uncaught(*sys.exc_info())
    text = stream.getvalue()
    assert text.count("OSError: /i/…/") == 3
    assert "thread listening ended" in text
    assert TOKEN not in text + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("action", "details", "line"),
    [
        (("http", "complete"), f"/i/{TOKEN}/?again={TOKEN}", "GET /i/<str:token>/"),
        (("http", "complete"), f"http://x/i/{TOKEN}/room/", "GET /i/<str:token>/room/"),
        (("http", "complete"), f"/i/{TOKEN}", "GET unknown"),
        (("http", "complete"), f"/recordings/{SIGNED}", "GET /recordings/<str:token>"),
        (("http", "complete"), f"http://[{TOKEN}", "GET unknown"),
        (("http", "complete"), "/static/room.js", f"GET {django_settings.STATIC_URL}unknown"),
        (("websocket", "connected"), f"/ws/interviews/{TOKEN}/", "WSCONNECT /ws/interviews/<str:token>/"),
        (("websocket", "disconnected"), f"/ws/interviews/{TOKEN}", "WSDISCONNECT unknown"),
        (("websocket", "rejected"), "/ws/asr?x=1", "WSREJECT /ws/asr/?"),
    ],
)
def test_access_log_has_patterns_not_addresses(monkeypatch, action, details, line):
    from interview_platform.routing import websocket_urlpatterns

    monkeypatch.setattr(RouteLog, "sockets", websocket_urlpatterns)
    stream = io.StringIO()
    entry = {"path": details, "client": "127.0.0.1:1", "method": "GET", "status": 200, "size": 1}
    RouteLog(stream)(*action, entry)
    assert f'"{line}"' in stream.getvalue()
    assert not [secret for secret in SECRETS if secret in stream.getvalue()]


def test_access_log_can_be_json(settings, monkeypatch):
    from interview_platform.routing import websocket_urlpatterns

    settings.LOG_FORMAT = "json"
    monkeypatch.setattr(RouteLog, "sockets", websocket_urlpatterns)
    stream = io.StringIO()
    log = RouteLog(stream)
    entry = {"path": f"/i/{TOKEN}/?again={TOKEN}", "client": "203.0.113.9:1", "method": "GET", "size": 1}
    log("http", "complete", entry | {"status": 200, "time_taken": 0.25})
    log("websocket", "connecting", {"path": f"/ws/interviews/{TOKEN}/", "client": None})
    log("websocket", "connected", {"path": f"/ws/interviews/{TOKEN}/", "client": None})

    page, socket = map(json.loads, stream.getvalue().splitlines())
    assert page["message"] == "GET /i/<str:token>/ 200"
    assert page["event"] == {
        "dataset": "interview_platform.access",
        "action": "complete",
        "duration": 250_000_000,
    }
    assert socket["url"]["path"] == "/ws/interviews/<str:token>/"
    assert TOKEN not in stream.getvalue()
    assert "203.0.113.9" not in stream.getvalue()


def test_task_that_nobody_awaited_is_logged_without_secrets(written):
    async def fail():
        raise ValueError(f"No route found for path 'ws/interviews/{TOKEN}'.")

    async def main():
        task = asyncio.get_running_loop().create_task(fail())
        await asyncio.wait([task])
        return repr(task)

    assert TOKEN not in written("Task exception was never retrieved\nfuture: %s", asyncio.run(main()))
