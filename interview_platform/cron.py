"""Periodic jobs (`manage.py rqcron interview_platform.cron`).

They have a queue of their own, `cron`, with reserved slots. So even when a store hangs and blocks other jobs,
the sweeper queues lost jobs again.
"""

import time
from datetime import datetime, timedelta

from rq import cron
from rq.utils import now

from accounts.audit import jobs as audit
from interview_platform.web.owners import erase_of_deleted
from interviews.jobs import (
    count_groups,
    erase_overdue,
    expire,
    repair_search,
    sweep_drafts,
    sweep_erasures,
    sweep_exports,
    sweep_webhooks,
)
from voice.workers.storing import move_resting
from voice.workers.sweeper import sweep

SWEEP_SECONDS = 5
EXPIRE_SECONDS = 60
MOVE_SECONDS = 60
COUNT_SECONDS = 21_600
OVERDUE_SECONDS = 600
DAY_SECONDS = 86_400

_started = now() - timedelta(seconds=time.monotonic())


def steady_now() -> datetime:
    """Return the time as counted from the start of this process, whatever happens to the system clock.

    RQ compares times of day, so a clock that is set back an hour would stop the sweeper for an hour.
    """
    return _started + timedelta(seconds=time.monotonic())


cron.now = steady_now
cron.register(sweep, "cron", interval=SWEEP_SECONDS, result_ttl=0)
cron.register(sweep_erasures, "cron", interval=SWEEP_SECONDS, result_ttl=0)
cron.register(sweep_webhooks, "cron", interval=SWEEP_SECONDS, result_ttl=0)
cron.register(erase_overdue, "cron", interval=OVERDUE_SECONDS, result_ttl=0)
cron.register(erase_of_deleted, "cron", interval=OVERDUE_SECONDS, result_ttl=0)
cron.register(count_groups, "cron", interval=COUNT_SECONDS, result_ttl=0)
cron.register(expire, "cron", interval=EXPIRE_SECONDS, result_ttl=0)
cron.register(sweep_exports, "cron", interval=EXPIRE_SECONDS, result_ttl=0)
cron.register(audit.extend, "cron", interval=EXPIRE_SECONDS, result_ttl=0)
cron.register(audit.verify, "cron", interval=DAY_SECONDS, result_ttl=0)
cron.register(audit.expire, "cron", interval=DAY_SECONDS, result_ttl=0)
cron.register(sweep_drafts, "cron", interval=EXPIRE_SECONDS, result_ttl=0)
cron.register(repair_search, "cron", interval=OVERDUE_SECONDS, result_ttl=0)
cron.register(move_resting, "cron", interval=MOVE_SECONDS, result_ttl=0)
