"""The web process: Daphne on uvloop, the event loop of Node.js.

    python -m interview_platform.server [Daphne's arguments] interview_platform.asgi:application

`daphne interview_platform.asgi:application` does the same on Python's own event loop, for a tenth more CPU.
"""

import asyncio
import gc
import sys

import uvloop

from interview_platform.server import reactor

gc.disable()  # until all is loaded (tuning.freeze_loaded_objects): it stays
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # Daphne makes its event loop on import
reactor.install()

from daphne.cli import CommandLineInterface  # noqa: E402
from django.core.exceptions import ImproperlyConfigured  # noqa: E402


def main() -> None:
    """Serve until a signal comes; settings that are wrong end it with a line for each."""
    try:
        CommandLineInterface.entrypoint()
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
