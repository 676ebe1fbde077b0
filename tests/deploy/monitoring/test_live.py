"""Every query of rules and dashboards, asked of a Prometheus that scrapes the real system under load."""

import asyncio
import contextlib
import itertools
import shutil
import tempfile
import threading
from pathlib import Path

import httpx
import openai
import pytest

from tests import speech
from tests.candidate import take_interview
from tests.deploy.monitoring import expressions, observed
from tests.faults.waiting import wait_for
from tests.sounds import encode
from voice.audio.pcm import s16le_from_samples
from voice.types import RECOGNITION_RATE_HZ

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        bool(observed.missing()), reason=f"not on this machine: {', '.join(observed.missing())}"
    ),
]

SENTENCES = ("I built a small service.", "It reads invoices.", "I would ask earlier.")
RANGE = "1m"  # what Grafana puts for $__rate_interval with a scrape every 10 s


@pytest.fixture(scope="module")
def watched(whisper_model, piper_voices):
    """The system, watched, with candidates and callers until the tests have ended."""
    directory = Path(tempfile.mkdtemp(prefix="observed-"))
    directory.chmod(0o711)  # servers run as other users than root
    env = {"WHISPER_MODEL": str(whisper_model), "PIPER_VOICES_DIR": str(piper_voices)}
    try:
        with observed.observed(directory / "all", env) as running, load(running.stack):
            yield running
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def load(stack):
    """Hold interviews and ask the speech service, round after round, until the block ends."""
    stop, failures = threading.Event(), []
    said = [s16le_from_samples(speech.spoken(sentence, pause_s=1.0)) for sentence in SENTENCES]
    facts = stack.demo

    def go_on():
        try:
            for number in itertools.count():
                asyncio.run(take_interview(stack.invite(), said))
                speak_and_hear(stack.url, facts["api_key"], f"Sentence number {number}.")
                sign_in_wrongly(stack.url)
                if stop.is_set():
                    return
        except Exception as error:
            failures.append(error)
            raise

    thread = threading.Thread(target=go_on, name="load")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert failures == []


def speak_and_hear(url, api_key, text):
    wav = encode(speech.spoken(text), rate_hz=RECOGNITION_RATE_HZ, container="wav")
    with openai.OpenAI(base_url=f"{url}/v1", api_key=api_key, max_retries=0) as client:
        for _ in range(2):  # from an engine, then from the cache
            client.audio.speech.create(model="tts-1", voice="alloy", input=text)
        client.audio.transcriptions.create(model="whisper-1", file=("answer.wav", wav))


def sign_in_wrongly(url):
    with httpx.Client(base_url=url, follow_redirects=True) as client:
        client.get("/admin/login/")
        form = {"username": "ada", "password": "wrong", "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        client.post("/admin/login/", data=form, headers={"Referer": f"{url}/admin/login/"})


def panels_without_data(watched):
    """Return the panels of which some query has no value that is a number."""
    return [
        (board, title, query)
        for board, title, queries in expressions.panels()
        for query in queries
        if not any(
            sample["value"][1] != "NaN" for sample in watched.ask(query.replace("$__rate_interval", RANGE))
        )
    ]


def test_every_panel_returns_data(watched):
    wait_for(
        lambda: not panels_without_data(watched),
        lambda: f"data of {panels_without_data(watched)}",
        within_s=420,
        every_s=5,
    )


def test_jobs_lead_to_their_traces(watched):
    def traces():
        window = {"start": "0", "end": str(2**33)}
        found = watched.get("query_exemplars", query="voice_job_seconds_bucket", **window)
        return {exemplar["labels"]["trace_id"] for series in found for exemplar in series["exemplars"]}

    wait_for(traces, "a trace of a job")

    assert {len(trace) for trace in traces()} == {32}


def test_every_rule_is_evaluated(watched):
    wait_for(lambda: watched.ask("slo:errors:ratio_rate6h"), "the slowest group of rules")

    rules = [rule for group in watched.get("rules")["groups"] for rule in group["rules"]]

    assert len(rules) == len(expressions.rules())
    assert [rule for rule in rules if rule["health"] != "ok"] == []


def test_metrics_of_others_have_the_names_that_are_expected(watched):
    names = {
        job: {series["__name__"] for series in watched.get("series", **{"match[]": f'{{job="{job}"}}'})}
        for job in ("prometheus", "redis", "postgres", "nginx", "node", "edge", "web", "worker")
    }
    names["blackbox"] = names.pop("edge")

    missing = {job: set(expected) - names[job] for job, expected in expressions.OF_EXPORTERS.items()}

    assert {job: gone - {"ALERTS"} for job, gone in missing.items() if gone - {"ALERTS"}} == {}


def test_healthy_system_raises_no_alert(watched):
    def firing():
        return watched.ask('ALERTS{alertstate="firing", alertname!="Watchdog"}')

    def since_the_sweep():
        return watched.ask("time() - max(voice_last_sweep_timestamp_seconds)")

    wait_for(lambda: not firing(), lambda: f"the end of {firing()}; {since_the_sweep()}")


def test_watchdog_arrives_with_its_runbook_and_without_the_label_that_made_it(watched):
    wait_for(lambda: any(told["labels"]["alertname"] == "Watchdog" for told in watched.told), "the watchdog")

    watchdog = next(told for told in watched.told if told["labels"]["alertname"] == "Watchdog")

    assert watchdog["annotations"]["runbook_url"] == "https://docs.example.com/runbooks/watchdog.md"
    assert watchdog["labels"] == {"alertname": "Watchdog", "severity": "none", "region": "main"}
