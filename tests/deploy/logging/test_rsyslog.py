"""rsyslog with our configuration, against an Elasticsearch that goes away and comes back."""

import contextlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.deploy.logging.elasticsearch import Elasticsearch
from tests.faults.waiting import wait_for

RSYSLOG = shutil.which("rsyslogd", path="/usr/sbin:/sbin:/usr/bin")
HAS_MODULE = any(Path("/usr/lib").glob("*/rsyslog/omelasticsearch.so"))
CONFIGURATION = ROOT / "deploy" / "logging" / "rsyslog.conf"

pytestmark = pytest.mark.skipif(
    not (RSYSLOG and HAS_MODULE), reason="rsyslog and rsyslog-elasticsearch are not installed"
)


@pytest.fixture
def host(tmp_path):
    """The directory of a host: its file of lines, its state, its configuration."""
    (tmp_path / "state").mkdir()
    (tmp_path / "lines.log").touch()
    return tmp_path


def configured(host: Path, port: int = 9200) -> Path:
    """Write the configuration as docs/logs.md says, with the places of this host filled in."""
    values = {
        "STATE": str(host / "state"),
        "LOGS": str(host / "lines.log"),
        "ELASTICSEARCH": f"http://127.0.0.1:{port}",
    }
    text = re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], CONFIGURATION.read_text())
    text = text.replace('action.resumeInterval="5"', 'action.resumeInterval="1"')
    (host / "rsyslog.conf").write_text(text)
    return host / "rsyslog.conf"


@contextlib.contextmanager
def shipping(host: Path, port: int) -> Iterator[subprocess.Popen]:
    command = [RSYSLOG, "-n", "-f", configured(host, port), "-i", host / "state" / "pid"]
    with (host / "output").open("a") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


def write(host: Path, numbers: range) -> None:
    with (host / "lines.log").open("a") as log:
        for number in numbers:
            log.write(json.dumps({"@timestamp": "2026-01-01T00:00:00Z", "message": f"line {number}"}) + "\n")


def messages(elasticsearch: Elasticsearch) -> list[str]:
    return sorted(document["message"] for document in list(elasticsearch.documents.values()))


def lines(numbers: range) -> list[str]:
    return sorted(f"line {number}" for number in numbers)


def test_configuration_is_valid(host):
    command = [RSYSLOG, "-N1", "-f", configured(host)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "error" not in told.stderr.lower()


@pytest.mark.proof
def test_no_line_is_lost_while_elasticsearch_goes_away_and_comes_back(host):
    elasticsearch = Elasticsearch()
    with contextlib.ExitStack() as later, elasticsearch.serving():
        later.enter_context(shipping(host, elasticsearch.port))
        write(host, range(1000))
        wait_for(lambda: messages(elasticsearch) == lines(range(1000)), "lines while all is well")
        away = later.pop_all()
    with away:
        write(host, range(1000, 6000))  # nothing answers
        wait_for(lambda: list((host / "state").glob("waiting.0*")), "lines on disk")
        with elasticsearch.serving():
            write(host, range(6000, 7000))
            wait_for(
                lambda: messages(elasticsearch) == lines(range(7000)),
                lambda: f"{len(elasticsearch.documents)} documents\n{(host / 'output').read_text()[-2000:]}",
            )


@pytest.mark.proof
def test_no_line_is_lost_while_the_shipper_is_replaced(host):
    elasticsearch = Elasticsearch()
    with elasticsearch.serving():
        for begins in range(0, 3000, 1000):
            write(host, range(begins, begins + 500))  # while no shipper runs
            with shipping(host, elasticsearch.port):
                write(host, range(begins + 500, begins + 1000))
                wait_for(lambda begins=begins: len(elasticsearch.documents) > begins, "a part")
        with shipping(host, elasticsearch.port):
            wait_for(lambda: messages(elasticsearch) == lines(range(3000)), "all lines")


@pytest.mark.proof
def test_line_that_is_refused_for_now_is_sent_again_and_one_refused_for_good_is_kept(host):
    class Busy(Elasticsearch):
        def refuse(self, document: dict) -> int:
            if document["message"] == "line 7":
                return 400
            return 429 if len(self.answers) < 40 else 0

    elasticsearch = Busy()
    with elasticsearch.serving(), shipping(host, elasticsearch.port):
        write(host, range(20))
        with (host / "lines.log").open("a") as log:
            log.write('a library prints "this"\n')
        wanted = sorted({*lines(range(20)), 'a library prints "this"'} - {"line 7"})
        wait_for(lambda: messages(elasticsearch) == wanted, lambda: str(elasticsearch.answers[:100]))
        refused = host / "state" / "refused.json"
        wait_for(lambda: refused.exists() and "line 7" in refused.read_text(), "the line that is refused")
    kept = [json.loads(line) for line in refused.read_text().splitlines()]
    assert {(each["status"], each["document"]["message"]) for each in kept} == {(400, "line 7")}
