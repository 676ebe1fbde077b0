"""Filters that keep secrets out of the logs."""

import logging
import re

# A candidate's link and a recording's address give access to anyone who reads them in a log.
_SECRET_IN_PATH = re.compile(r"(/i/|/ws/interviews/|/recordings/)[^/?\s\"']+")


class WithoutSecrets(logging.Filter):
    """Replace the secret part of interview and recording addresses by an ellipsis."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if _SECRET_IN_PATH.search(message):
            record.msg, record.args = _SECRET_IN_PATH.sub(r"\1…", message), ()
        return True
