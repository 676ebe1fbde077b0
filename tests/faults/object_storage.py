"""moto's S3 as a process whose mood is in a file: well, failing or hanging.

`python -m tests.faults.object_storage PORT FILE`.
"""

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

LOOK_EVERY_S = 0.1


class Moody:
    """A WSGI application that serves `storage` only while the mood is well."""

    def __init__(self, storage: Callable, mood: Path) -> None:
        self._storage = storage
        self._mood = mood

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        while (mood := self._mood.read_text()) == "hanging":
            time.sleep(LOOK_EVERY_S)
        if mood == "failing":
            start_response("500 Internal Server Error", [("Content-Length", "0")])
            return []
        return self._storage(environ, start_response)


class Quiet(MotoRequestHandler):
    """A handler without a log line for each request."""

    def log(self, kind: str, message: str, *args: object) -> None: ...


if __name__ == "__main__":
    moody = Moody(DomainDispatcherApplication(create_backend_app), Path(sys.argv[2]))
    run_simple("127.0.0.1", int(sys.argv[1]), moody, threaded=True, request_handler=Quiet)
