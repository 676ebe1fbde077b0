"""The commands of docs/deployment.md, so that a test can do what it says."""

import re
from pathlib import Path

from tests.deploy.engine import ROOT

DOCUMENT = ROOT / "docs" / "deployment.md"
FENCE = re.compile(
    r"^(?P<why><!-- not run: .+ -->\n)?```sh\n(?P<commands>.*?)^```$", re.MULTILINE | re.DOTALL
)
HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)


def commands(section: str, document: Path = DOCUMENT) -> list[str]:
    """Return the blocks of commands below a heading, up to the next one, without those that are not run."""
    text = document.read_text()
    headings = [(match.group(1), match.end()) for match in HEADING.finditer(text)]
    ends = [match.start() for match in HEADING.finditer(text)][1:] + [len(text)]
    for (title, start), end in zip(headings, ends, strict=True):
        if title == section:
            return [found["commands"] for found in FENCE.finditer(text, start, end) if not found["why"]]
    raise LookupError(f"{document.name} has no section {section!r}")
