"""The former web command: `python -m interview_platform.web`. The next release removes it."""

import sys

from interview_platform.server.__main__ import main

if __name__ == "__main__":
    print(
        "interview_platform.web is interview_platform.server now; please change the command.", file=sys.stderr
    )
    main()
