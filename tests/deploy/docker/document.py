"""The commands of docs/deployment.md, so that a test can do what it says."""

import re
from pathlib import Path

from tests.deploy.engine import ROOT

DOCUMENT = ROOT / "docs" / "deployment.md"
FENCE = re.compile(r"^(?P<why><!-- not run: [^\n]+ -->\n)?```sh\n(?P<commands>.*?)^```$", re.M | re.S)
HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)


def commands(section: str, document: Path = DOCUMENT) -> list[str]:
    """Return the blocks of commands below a heading, up to the next one, without those that are not run."""
    text = document.read_text()
    headings = list(HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings[1:]), len(text)]
    for heading, end in zip(headings, ends, strict=True):
        if heading[1] == section:
            blocks = FENCE.finditer(text, heading.end(), end)
            return [block["commands"] for block in blocks if not block["why"]]
    raise LookupError(f"{document.name} has no section {section!r}")
