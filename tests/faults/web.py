"""The web process, which lets a connection that says nothing go after IDLE_S instead of Twisted's 60 s."""

import os

from twisted.web.http import HTTPFactory

from interview_platform.server.__main__ import main

if __name__ == "__main__":
    HTTPFactory.timeOut = float(os.environ["IDLE_S"])
    main()
