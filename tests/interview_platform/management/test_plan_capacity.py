"""The command, as an operator calls it."""

import json
from io import StringIO
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command


def answer(*args: str) -> str:
    out = StringIO()
    call_command("plan_capacity", *args, stdout=out)
    return out.getvalue()


def test_tables_name_every_pool_the_stores_and_the_money():
    told = answer("--candidates", "30")
    for word in (
        "30 candidates at once",
        "worker-stt",
        "worker-tts",
        "worker-default",
        "PgBouncer",
        "egress",
        "EUR",
    ):
        assert word in told


def test_json_says_the_same_and_the_picture_is_drawn(tmp_path):
    picture = tmp_path / "plan.svg"
    told = json.loads(answer("--candidates", "30", "--json", "--picture", str(picture)))

    assert told["capacity"]["at_once"] == 30
    assert {cost["scenario"]["name"] for cost in told["costs"]} >= {"at peak size, spot"}
    lines = ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}polyline")
    assert len([*lines]) == 4


def test_what_is_wrong_is_told_without_a_traceback():
    with pytest.raises(CommandError, match=r"demand\.candidates"):
        answer("--candidates", "-1")
    with pytest.raises(CommandError, match="engine: --metrics needs --engine"):
        answer("--metrics", "http://127.0.0.1:9/metrics")
