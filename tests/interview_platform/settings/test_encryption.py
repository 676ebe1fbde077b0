"""Encryption at rest cannot be turned on without its keys and a store of their own."""

import os
import subprocess
import sys

import pytest

KEY = "an encryption key of these tests with 32 characters"
PRINT = (
    "from interview_platform.settings import STORAGES, VOICE; own = STORAGES['data_keys']['OPTIONS'];"
    "print(VOICE['ENCRYPTION'], len(VOICE['ENCRYPTION_KEYS']), own.get('bucket_name'), own.get('access_key'))"
)
S3 = {"S3_BUCKET": "b", "S3_ACCESS_KEY_ID": "recordings"}
OF_KEYS = {"KEYS_BUCKET": "k", "KEYS_ACCESS_KEY_ID": "keys"}
ON = {"ENCRYPTION": "true", "ENCRYPTION_KEYS": KEY}
CASES = {
    "on": (ON | S3 | OF_KEYS | {"ENCRYPTION_KEYS": f"{KEY},{KEY}2"}, ["True 2 k keys"]),
    "off again": (ON | {"ENCRYPTION": "false"}, ["False 1 None None"]),
    "without keys": (S3 | {"ENCRYPTION": "true"}, ["ENCRYPTION_KEYS: write", "KEYS_BUCKET: name the bucket"]),
    "beside the recordings": (
        ON
        | S3
        | {"ENCRYPTION_KEYS": f"{KEY},short", "KEYS_BUCKET": "b"}
        | {"MEDIA_ROOT": "/srv/media", "KEYS_ROOT": "/srv/media/../media/keys"},
        ["ENCRYPTION_KEYS: write", "KEYS_BUCKET: name another", "KEYS_ROOT: name a directory outside"],
    ),
}


@pytest.mark.parametrize(("given", "said"), CASES.values(), ids=CASES)
def test_settings_of_encryption(given, said):
    env = {**os.environ, "DEBUG": "true", **given}

    done = subprocess.run([sys.executable, "-c", PRINT], env=env, capture_output=True, text=True, check=False)

    told = done.stdout + done.stderr
    assert [line for line in said if line not in told] == []
    assert "short" not in done.stderr
    assert f"{KEY}2" not in done.stderr
