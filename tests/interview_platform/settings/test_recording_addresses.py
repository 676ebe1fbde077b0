"""Who sends recordings: object storage by signed addresses, or the web processes."""

import os
import subprocess
import sys

import pytest

PRINT = "from interview_platform.settings import VOICE; print(VOICE['HAS_SIGNED_URLS'])"


@pytest.mark.parametrize(
    ("given", "signed"),
    [({}, False), ({"S3_BUCKET": "b"}, True), ({"S3_BUCKET": "b", "S3_SIGNED_URLS": "false"}, False)],
    ids=["directory", "object storage", "object storage that browsers cannot reach"],
)
def test_recordings_have_signed_addresses_where_browsers_reach_object_storage(given, signed):
    env = {**os.environ, "DEBUG": "true", **given}

    done = subprocess.run([sys.executable, "-c", PRINT], env=env, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == str(signed)
