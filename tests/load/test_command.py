"""`make load` starts: what it imports is there, and it says what it can do."""

import subprocess
import sys

from tests.prepared import ROOT


def test_command_starts():
    command = [sys.executable, "-m", "tests.benchmarks.load", "--help"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "--candidates" in result.stdout
