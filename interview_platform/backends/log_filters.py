"""What is logged, and what is not."""

import logging
import re

# A candidate's link and a recording's address are keys: whoever reads them in a log could use them.
_SECRET_IN_PATH = re.compile(r"(/i/|/ws/interviews/|/recordings/)[^/?\s\"']+")


class WithoutSecrets(logging.Filter):
    """Puts an ellipsis in the place of what opens an interview or a recording."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if _SECRET_IN_PATH.search(message):
            record.msg, record.args = _SECRET_IN_PATH.sub(r"\1…", message), ()
        return True
