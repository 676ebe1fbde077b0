"""The web process, which lets a connection that says nothing go after IDLE_S instead of Twisted's 60 s."""

import os
from typing import Any

from interview_platform.server.__main__ import main  # first: it chooses the event loop

from daphne import server  # isort: skip


class ImpatientFactory(server.HTTPFactory):
    """Makes the protocol of each connection."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802  Twisted's name
        self.timeOut = float(os.environ["IDLE_S"])
        return super().buildProtocol(addr)


if __name__ == "__main__":
    server.HTTPFactory = ImpatientFactory
    main()
