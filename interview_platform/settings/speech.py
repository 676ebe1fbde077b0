"""Queues, engines, and the speech service."""

from pathlib import Path

from django.utils.translation import gettext_lazy as _

from interview_platform.settings.core import BASE_URL, VAR_DIR
from interview_platform.settings.environment import env, of_environment
from interview_platform.settings.stores import (
    KEYS_BUCKET,
    REDIS_SENTINEL_PASSWORD,
    REDIS_SENTINELS,
    REDIS_URL,
    S3_BUCKET,
)
from voice import defaults as speech
from voice.encryption.wrapping import SHORTEST_KEY
from voice.engines import defaults as engines
from voice.engines.cloud import account

QUEUE_NAMES = (*speech.QUEUE_NAMES, "brain", "brain-later", "webhooks")
QUEUE_TITLES = {
    "brain": _("answers to ask a follow-up question about"),
    "brain-later": _("drafts of evaluations and interviews"),
    "webhooks": _("what other systems are told"),
}
LONG_QUEUES = ("brain-later", "webhooks")
RQ_QUEUES = speech.queues(
    REDIS_URL, QUEUE_NAMES, sentinels=REDIS_SENTINELS, sentinel_password=REDIS_SENTINEL_PASSWORD
)
JOBS = (  # workers run nothing else
    *speech.JOBS,
    "accounts.audit.jobs.expire",
    "accounts.audit.jobs.extend",
    "accounts.audit.jobs.verify",
    "interview_platform.web.owners.erase_of_deleted",
    "interviews.jobs.complete_erasure",
    "interviews.jobs.count_groups",
    "interviews.jobs.deliver_webhooks",
    "interviews.jobs.ask_language_model",
    "interviews.jobs.draft_evaluation",
    "interviews.jobs.draft_interview",
    "interviews.jobs.erase_overdue",
    "interviews.jobs.expire",
    "interviews.jobs.invite_batch",
    "interviews.jobs.make_export",
    "interviews.jobs.repair_search",
    "interviews.jobs.send_confirmation",
    "interviews.jobs.send_link",
    "interviews.jobs.send_message",
    "interviews.jobs.sweep_drafts",
    "interviews.jobs.sweep_erasures",
    "interviews.jobs.sweep_exports",
    "interviews.jobs.sweep_webhooks",
    "interviews.jobs.warn_of_erasures",
)
# A job may only start once the rows it reads are committed. A queue is a hint: the sweeper
# (voice.workers.sweeper.sweep) queues again whatever a lost queue forgot.
RQ = {"COMMIT_MODE": "on_db_commit"}
RQ_SHOW_ADMIN_LINK = False  # its own pages are open to all staff; urls.py limits them to superusers

MODELS_DIR = Path(env("MODELS_DIR", default=str(VAR_DIR / "models")))
VOICE = of_environment(engines.SETTINGS) | of_environment(speech.SERVICE, "VOICE_")
VOICE |= {
    "MODELS_DIR": MODELS_DIR,
    **{name: Path(env(name, default=str(MODELS_DIR / folder))) for name, folder in engines.FOLDERS.items()},
    "IS_PUBLIC": env.bool("VOICE_PUBLIC", default=False),
    "BASE_URL": BASE_URL,
    "HAS_SIGNED_URLS": bool(S3_BUCKET) and env.bool("S3_SIGNED_URLS", default=True),
}
ENCRYPTION = env.bool("ENCRYPTION", default=False)
VOICE |= {
    "ENCRYPTION": ENCRYPTION,
    "ENCRYPTION_KEYS": env.list("ENCRYPTION_KEYS", default=[]),
    "KEY_WRAPPING": env("KEY_WRAPPING", default=speech.ENCRYPTION["KEY_WRAPPING"]),
}
_has_local_keys = VOICE["KEY_WRAPPING"] == speech.ENCRYPTION["KEY_WRAPPING"]
env.require(
    "ENCRYPTION_KEYS",
    (VOICE["ENCRYPTION_KEYS"] or not ENCRYPTION or not _has_local_keys)
    and all(len(key) >= SHORTEST_KEY and "\n" not in key for key in VOICE["ENCRYPTION_KEYS"]),
    f"write one or more keys of {SHORTEST_KEY} characters or more, separated by commas, newest first.",
)
env.require(
    "KEYS_BUCKET",
    KEYS_BUCKET or not (ENCRYPTION and S3_BUCKET) or env("KEYS_ROOT", default=""),
    "name the bucket of the data keys, or in KEYS_ROOT a directory that all hosts share.",
)
# Vendors are used only if STT_ENGINES or TTS_ENGINES names them and their key is set.
VOICE["CLOUD"] = {
    vendor: {key: env(name, default="") for key, name in account.variables(vendor).items()}
    | {
        "VOICES": env.list(f"{vendor.upper()}_VOICES", default=[]),
        "TIMEOUT_S": env.float("CLOUD_TIMEOUT_S", default=30.0),
    }
    for vendor in account.VENDORS
}
CRON_HOST = env("CRON_HOST", default="127.0.0.1")  # address of the clock's /health and /metrics
CRON_PORT = env.int("CRON_PORT", default=0)  # 0: none
_apart = of_environment(speech.APART)
WORKER_HOST: str = _apart["WORKER_HOST"]
WORKER_PORT: int = _apart["WORKER_PORT"]
WORKER_GRACE_S: float = _apart["WORKER_GRACE_S"]
POOL: str = _apart["POOL"]
SPILL_AFTER_S: float = _apart["SPILL_AFTER_S"]
PARTIAL_QUEUE_LIMIT: int = _apart["PARTIAL_QUEUE_LIMIT"]
JOB_DEADLINE_S: int = _apart["JOB_DEADLINE_S"]
SPEECH_CACHE_MB: float = _apart["SPEECH_CACHE_MB"]
SPEECH_CACHE_TTL_S: float = _apart["SPEECH_CACHE_TTL_S"]
RECORDING_URL_SECONDS: int = _apart["RECORDING_URL_SECONDS"]
RETRY_TRIES: int = _apart["RETRY_TRIES"]
RETRY_FIRST_S: float = _apart["RETRY_FIRST_S"]
RETRY_LONGEST_S: float = _apart["RETRY_LONGEST_S"]
BREAKER_FAILURES: int = _apart["BREAKER_FAILURES"]
BREAKER_OPEN_S: float = _apart["BREAKER_OPEN_S"]
BREAKER_SUCCESSES: int = _apart["BREAKER_SUCCESSES"]
