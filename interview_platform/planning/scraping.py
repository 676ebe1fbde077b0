"""Measured figures from a platform that runs: its `/metrics` (docs/metrics.md)."""

import urllib.error
import urllib.request
from collections import defaultdict

from prometheus_client.parser import text_string_to_metric_families

from interview_platform.planning.figures import Engine, Figures
from interview_platform.planning.inputs import BadInput

TIMEOUT_S = 15.0
LEAST_CALLS = 20
"""Fewer calls of an engine say nothing."""
FACTOR = "voice_engine_real_time_factor"


def fetched(address: str, token: str = "") -> str:
    """Return what `/metrics` tells. Raises BadInput: the address cannot be read."""
    if not address.startswith(("http://", "https://")):
        raise BadInput(f"metrics: {address} is no http address")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            return str(answer.read().decode())
    except (urllib.error.URLError, TimeoutError, UnicodeDecodeError) as error:
        raise BadInput(f"metrics: {address}: {error}") from None


def real_time_factors(text: str) -> dict[str, float]:
    """Return the mean real-time factor of each engine with enough calls, as `piper` or `piper@gpu`.

    Raises:
        BadInput: the text is not in the format of Prometheus.
    """
    sums: dict[str, float] = defaultdict(float)
    counts: dict[str, float] = defaultdict(float)
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples if family.name == FACTOR else ():
                into = {f"{FACTOR}_sum": sums, f"{FACTOR}_count": counts}.get(sample.name)
                if into is not None:
                    into[sample.labels["engine"]] += sample.value
    except (ValueError, KeyError) as error:
        raise BadInput(f"metrics: not in the format of Prometheus: {error}") from None
    return {name: sums[name] / count for name, count in counts.items() if count >= LEAST_CALLS}


def with_measured(figures: Figures, names: dict[str, str], text: str) -> Figures:
    """Return the figures with the real-time factors that a platform measured.

    names: the figures' engine for each of the platform's, as {"faster_whisper@gpu": "whisper-large-v3-gpu"}.

    Raises:
        BadInput: an engine was not called often enough, or is not among the figures.
    """
    factors, engines = real_time_factors(text), dict(figures.engines)
    for theirs, ours in names.items():
        if theirs not in factors:
            found = ", ".join(sorted(factors)) or "none"
            raise BadInput(
                f"metrics: {theirs} had fewer than {LEAST_CALLS} calls; often enough called: {found}"
            )
        if ours not in engines:
            raise BadInput(
                f"metrics: there is no {ours!r} among the figures; there are: {', '.join(engines)}"
            )
        engines[ours] = _measured(engines[ours], factors[theirs])
    return figures.model_copy(update={"engines": engines})


def _measured(engine: Engine, factor: float) -> Engine:
    changes = {"real_time_factor": factor, "is_measured": True, "source": "/metrics"}
    return engine.model_copy(update=changes)
