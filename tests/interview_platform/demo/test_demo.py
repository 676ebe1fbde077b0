import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import psutil
import pytest
from django.conf import settings

from interview_platform.demo import __main__, programs
from voice.queues import pools

START_SECONDS = 240


@pytest.fixture
def answering():
    """A web server with one reply to every GET. Returns its port."""
    servers = []

    def start(status, body):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *arguments):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_nothing_is_missing_once_ready_answers_200(answering):
    assert __main__.missing_parts(answering(200, "{}"), "localhost") == ""


def test_missing_parts_are_named_with_their_reason(answering):
    body = json.dumps({"parts": {"redis": "ok", "synthesis": "no worker"}})
    assert __main__.missing_parts(answering(503, body), "localhost") == "synthesis (no worker)"


def test_a_page_that_is_not_json_is_a_web_process_missing(answering):
    assert (
        __main__.missing_parts(answering(400, "<h1>Bad Request</h1>"), "x")
        == "a web process (it answered 400)"
    )


def test_a_closed_port_is_a_web_process_missing():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert __main__.missing_parts(port, "localhost") == "a web process"


async def test_waiting_ends_with_an_error_that_names_what_is_missing(answering, capsys):
    port = answering(503, json.dumps({"parts": {"redis": "TimeoutError"}}))
    with pytest.raises(__main__.DemoError, match=r"redis \(TimeoutError\)"):
        await __main__.wait_until_ready(port, "localhost", within_s=0)


def test_a_taken_port_is_refused_with_a_way_out():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with pytest.raises(__main__.DemoError, match="make demo PORT="):
            with __main__.listening_socket("127.0.0.1", server.getsockname()[1]):
                pass


def test_the_secret_key_is_made_once_and_is_private(tmp_path):
    key = programs.secret_key(tmp_path / "key")
    assert len(key) >= 50
    assert programs.secret_key(tmp_path / "key") == key
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_servers_named_by_the_environment_are_not_started(tmp_path):
    with __main__.servers(tmp_path, {"DATABASE_URL": "postgres://", "REDIS_URL": "redis://"}) as urls:
        assert urls == {}
    assert list(tmp_path.iterdir()) == []


def test_static_files_are_collected_again_after_a_change(tmp_path):
    env = {"VAR_DIR": str(tmp_path)}
    assert __main__.is_static_old(env)
    __main__.static_stamp(env).touch()
    assert not __main__.is_static_old(env)
    os.utime(__main__.static_stamp(env), (0, 0))
    assert __main__.is_static_old(env)


def test_web_processes_share_the_listening_socket():
    with __main__.listening_socket("127.0.0.1", 0) as listener:
        web, *others = programs.programs(listener, {})
        assert (web.count, web.pass_fds) == (2, (listener.fileno(),))
        assert {program.name for program in others} == {"speech", "tts", "audio", "default", "cron"}
        assert not any(program.pass_fds for program in others)
        served = [argument for program in others for argument in program.argv]
        assert set(settings.QUEUE_NAMES) - set(pools.OF_ONE_POOL) <= set(served)


@pytest.mark.flows
@pytest.mark.timeout(2 * START_SECONDS)
def test_the_demo_starts_serves_and_leaves_nothing_running(run_directory, whisper_model, piper_voices):
    var = run_directory / "demo"
    chosen = {"PORT": "0", "VAR_DIR": str(var), "WHISPER_MODEL": str(whisper_model)}
    inherited = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    env = {**inherited, **chosen, "PIPER_VOICES_DIR": str(piper_voices), "PIPER_VOICES": ""}

    with _demo(env) as process:
        printed = _read_until(process, "Ctrl-C stops everything")
        facts = json.loads((var / "demo.json").read_text())
        for url in (facts["url"] + "/ready", facts["invitation_url"], facts["admin_url"]):
            with urllib.request.urlopen(url, timeout=120) as answer:
                assert answer.status == 200
        family = psutil.Process(process.pid).children(recursive=True)
        assert any("fill_demo" in relative.cmdline() for relative in family)

    assert process.returncode == 0
    assert {"url", "admin_url", "username", "password", "api_key", "invitation_url"} <= facts.keys()
    assert facts["invitation_url"] in printed
    assert "spoken by piper:en_US-standin-medium; recognised by faster_whisper whisper" in printed
    assert re.search(r"speech de +spoken by espeak:de, which sounds mechanical; recognised by", printed)
    assert len(family) >= 9  # two web processes, four pools, cron, two servers
    assert not any(relative.is_running() for relative in family)


@contextlib.contextmanager
def _demo(env):
    """Run the demo, and stop it with Ctrl-C."""
    command = [sys.executable, "-m", "interview_platform.demo"]
    with subprocess.Popen(command, env=env, cwd=programs.ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.stdout.read()


def _read_until(process, mark):
    """Read lines until one has `mark`; pytest's timeout is the deadline."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if mark in line:
            return "".join(lines)
    raise AssertionError("the demo ended:\n" + "".join(lines))
