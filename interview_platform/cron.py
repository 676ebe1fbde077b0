"""What runs by the clock (`manage.py rqcron interview_platform.cron`)."""

from rq import cron

from interviews.jobs import expire
from voice.jobs import sweep

SWEEP_SECONDS = 5
EXPIRE_SECONDS = 60

cron.register(sweep, "default", interval=SWEEP_SECONDS, result_ttl=0)
cron.register(expire, "default", interval=EXPIRE_SECONDS, result_ttl=0)
