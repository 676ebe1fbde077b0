import logging

import pytest

from interview_platform.backends.log_filters import WithoutSecrets


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("Forbidden (CSRF): /i/s3cret/", "Forbidden (CSRF): /i/…/"),
        ("Not Found: /ws/interviews/s3cret/", "Not Found: /ws/interviews/…/"),
        ('"GET /recordings/s3cret:x:y" 404', '"GET /recordings/…" 404'),
        ("session 4f is now finished", "session 4f is now finished"),
    ],
)
def test_addresses_that_open_something_are_not_logged(message, kept):
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s", (message,), None)
    assert WithoutSecrets().filter(record)
    assert record.getMessage() == kept
