"""Real-time factors from the /metrics of a platform that runs."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from interview_platform.planning.figures import Figures
from interview_platform.planning.inputs import DEFAULTS, BadInput, read
from interview_platform.planning.scraping import FACTOR, fetched, real_time_factors, with_measured
from voice import metrics

TEXT = """\
# TYPE voice_engine_real_time_factor histogram
voice_engine_real_time_factor_sum{direction="recognition",engine="faster_whisper"} 4.0
voice_engine_real_time_factor_count{direction="recognition",engine="faster_whisper"} 50.0
voice_engine_real_time_factor_sum{direction="synthesis",engine="piper"} 1.0
voice_engine_real_time_factor_count{direction="synthesis",engine="piper"} 3.0
"""


@pytest.fixture
def figures():
    return read(DEFAULTS / "figures.toml", Figures)


def test_factors_are_means_of_engines_that_were_called_often():
    assert real_time_factors(TEXT) == {"faster_whisper": 0.08}


def test_figures_take_what_a_platform_measured(figures):
    changed = with_measured(figures, {"faster_whisper": "whisper-large-v3-gpu"}, TEXT)
    engine = changed.engines["whisper-large-v3-gpu"]
    assert (engine.real_time_factor, engine.is_measured) == (0.08, True)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"piper": "piper-cpu"}, "piper had fewer than 20 calls; often enough called: faster_whisper"),
        ({"faster_whisper": "whisper"}, "there is no 'whisper' among the figures"),
    ],
)
def test_an_engine_without_a_match_is_named(figures, names, told):
    with pytest.raises(BadInput, match=told):
        with_measured(figures, names, TEXT)


def test_what_is_no_metrics_is_refused():
    with pytest.raises(BadInput, match="not in the format"):
        real_time_factors("<html>no metrics</html> {")


def test_an_address_that_does_not_answer_is_named():
    with pytest.raises(BadInput, match=r"http://127\.0\.0\.1:9/metrics"):
        fetched("http://127.0.0.1:9/metrics")
    with pytest.raises(BadInput, match="no http address"):
        fetched("file:///etc/passwd")


def test_the_metric_has_the_name_that_the_platform_gives_it():
    assert [metric.name for metric in metrics.ENGINE_REAL_TIME_FACTOR.collect()] == [FACTOR]


class Platform(BaseHTTPRequestHandler):
    """A platform that tells its metrics to those who know the token."""

    def do_GET(self):
        self.send_response(200 if self.headers["Authorization"] == "Bearer secret" else 401)
        self.end_headers()
        self.wfile.write(TEXT.encode())

    def log_message(self, *args):
        pass


@pytest.fixture
def address():
    with HTTPServer(("127.0.0.1", 0), Platform) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/metrics"
        server.shutdown()
        thread.join()


def test_metrics_are_fetched_with_the_token(address):
    assert fetched(address, "secret") == TEXT
    with pytest.raises(BadInput, match="401"):
        fetched(address, "wrong")
