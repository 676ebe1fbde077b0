"""What the README of the Python client shows, as it stands there, while simulated candidates come."""

import asyncio
import csv
import json
import os
import re
import sys
from pathlib import Path

import pytest

from interview_client import AsyncClient, api
from tests.candidate import take_interview
from tests.conftest import ROOT
from tests.factories import tone
from tests.sizes import sizes
from tests.stack import link_token
from voice.audio import decoding

pytestmark = pytest.mark.flows

CLIENT = ROOT / "clients" / "python"
WITHIN_S = 240


def example(title: str) -> str:
    """The code below a heading of the README."""
    section = (CLIENT / "README.md").read_text().partition(f"## {title}\n")[2]
    return re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]


@pytest.fixture
async def interview_id(stack):
    """An English interview that any candidate of the demo may take."""
    async with AsyncClient(stack.url, stack.demo["api_key"]) as client:
        found = [each async for each in client.all(api.interviews()) if each["language"] == "en"]
    return found[0]["id"], found[0]["question_count"]


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


async def links_in(file: Path, count: int) -> dict[str, str]:
    """Wait until the script has written every link."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            found = dict(row for row in csv.reader(read(file).splitlines()) if len(row) == 2)
            if len(found) == count:
                return found
            await asyncio.sleep(0.1)


@sizes("count", short=3, proof=20)
async def test_readme_invites_waits_and_downloads(stack, interview_id, tmp_path, count):
    interview, questions = interview_id
    rows = [["name", "email"], *([f"Ada {n}", f"ada{n}@flow.example"] for n in range(count))]
    with (tmp_path / "candidates.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    told = {
        "INTERVIEWS_URL": stack.url,
        "INTERVIEWS_KEY": stack.demo["api_key"],
        "INTERVIEW_ID": interview,
        "PYTHONPATH": str(CLIENT / "src"),
    }
    script = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", example("Invite 20 candidates from a CSV, wait, download")),
        cwd=tmp_path,
        env={**os.environ, **told},
    )
    try:
        links = await links_in(tmp_path / "links.csv", count)
        stack.secrets |= set(map(link_token, links.values()))
        said = {name: [tone(0.5, 200 + 10 * n)] * questions for n, name in enumerate(links)}
        await asyncio.gather(*(take_interview(link, said[name]) for name, link in links.items()))
        assert await asyncio.wait_for(script.wait(), WITHIN_S) == 0
    finally:
        if script.returncode is None:
            script.kill()

    folders = list((tmp_path / "answers").iterdir())
    assert len(folders) == count
    for folder in folders:
        document = json.loads((folder / "interview.json").read_text())
        name = document["candidate"]["name"]
        heard = [
            decoding.decode_flac((folder / f"{each['position']}.0.flac").read_bytes())[0]
            for each in document["answers"]
        ]
        assert heard == said[name], f"the recordings of {name}"
    with (tmp_path / "finished.csv").open(encoding="utf-8-sig") as file:
        assert set(said) <= {row["candidate"] for row in csv.DictReader(file)}
