"""Every setting of the speech service, with its value where a project gives none.

    settings.VOICE["LANGUAGE"]      # a key of `SERVICE` or of `voice.engines.defaults.SETTINGS`
    settings.RETRY_TRIES            # a key of `APART`

Django calls `complete` when it starts (voice.apps), so everything else reads `django.conf.settings`.
"""

from collections.abc import Sequence
from typing import Any, Final

from redis.connection import parse_url

from voice.engines import defaults as engines
from voice.infra import redis_sentinel

SERVICE: Final[dict[str, Any]] = {
    "LANGUAGE": "en",  # of a text sent without language and voice
    # Limits, checked before any work is done.
    "MAX_UPLOAD_MB": 25,
    "MAX_BATCH_MB": 100,  # all files of one batch together
    "MAX_BATCH_FILES": 50,
    "MAX_AUDIO_S": 3600.0,  # of one file, decoded
    "MAX_CONVERTED_MB": 512,  # of one converted file
    "MAX_TEXT_CHARS": 5000,
    "CONNECTIONS": 200,  # WebSockets a process
    "CONNECTIONS_PER_KEY": 100,
    "REQUESTS_PER_MINUTE": 6000,  # a key
    "QUEUE_LIMIT": 200,  # more calls are refused while this many jobs wait
    "CALL_AUDIO_MB": 512,  # audio waiting for recognition
    "CALLS_AT_ONCE": 256,  # answers a process waits for
}
ENCRYPTION: Final[dict[str, Any]] = {
    "ENCRYPTION": False,  # of new recordings, if their creator gives a data key
    "ENCRYPTION_KEYS": [],  # of `LocalKeys`, newest first
    "KEY_WRAPPING": "voice.encryption.wrapping.LocalKeys",
}
"""Data keys lie in `STORAGES["data_keys"]`."""
ADDRESSES: Final[dict[str, Any]] = {
    "IS_PUBLIC": False,  # the speech service and its playground, without a key
    "BASE_URL": "",  # the start of addresses that are used outside a page
    "HAS_SIGNED_URLS": False,  # the default storage's `url(name, expire=seconds)` is signed
}
APART: Final[dict[str, Any]] = {
    "WORKER_HOST": "127.0.0.1",  # address of a worker's /health, /ready and /metrics
    "WORKER_PORT": 0,  # 0: none
    "WORKER_GRACE_S": 9.0,  # for running jobs, once a worker is asked to end; less than its supervisor gives
    "POOL": "",  # the name of a worker's pool, where its engines fail apart from those of other pools
    "SPILL_AFTER_S": 5.0,  # a job that waits longer goes to another pool that can begin it sooner
    "PARTIAL_QUEUE_LIMIT": 4,  # no captions while this many wait or are made
    "JOB_DEADLINE_S": 120,  # a job still running then is stuck
    "SPEECH_CACHE_MB": 256.0,  # in Redis; the least recently used is removed first
    "SPEECH_CACHE_TTL_S": 6 * 3600.0,
    "RECORDING_URL_SECONDS": 300,  # how long a recording's address is valid
    # A transient failure of an engine is retried. An engine that keeps failing is not called for a while.
    "RETRY_TRIES": 3,
    "RETRY_FIRST_S": 1.0,
    "RETRY_LONGEST_S": 10.0,
    "BREAKER_FAILURES": 5,  # in a row, over all processes
    "BREAKER_OPEN_S": 60.0,
    "BREAKER_SUCCESSES": 2,
}
"""Settings with a name of their own in `django.conf.settings`."""
QUEUE_NAMES: Final = (
    *("stt", "stt-gpu", "stt-ahead", "stt-later", "stt-partial"),
    *("stt-call", "stt-call-partial", "stt-batch"),
    *("tts", "tts-gpu", "tts-call"),
    *("audio", "cron", "default"),
)
JOBS: Final = (
    "voice.workers.answering.answer_call",
    "voice.workers.erasing.erase",
    "voice.workers.listening.listen_back",
    "voice.workers.rendering.render_speech",
    "voice.workers.storing.delete_upload",
    "voice.workers.storing.move_resting",
    "voice.workers.storing.move_segments",
    "voice.workers.storing.store",
    "voice.workers.sweeper.sweep",
    "voice.workers.transcription.recognise_on_the_way",
    "voice.workers.transcription.recognise_partial",
    "voice.workers.transcription.transcribe",
    "voice.workers.transcription.transcribe_again",
    "voice.workers.transcription.transcribe_file",
)
"""Functions that workers run as jobs; a job that names another is dropped (`voice.queues.listed_jobs`)."""
STORES: Final[dict[str, Any]] = {
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "REDIS_SENTINELS": (),  # (host, port) of each; the host of REDIS_URL is then the master's name there
    "REDIS_SENTINEL_PASSWORD": "",
    "DATABASE_POOL_SIZE": 0,  # connections of a process; 0: what its kind needs
    "SPEECH_URL": "",  # the address of a CDN in front of spoken texts; "": `voice.urls`
    "QUEUE_NAMES": QUEUE_NAMES,
    "QUEUE_TITLES": {},  # what waits in further queues, as pages say it
    "LONG_QUEUES": (),  # their jobs can wait and take up to a minute: beside other queues, a slot of its own
    "JOBS": JOBS,
}
QUEUE_TIMEOUT_S: Final = 300
MASTER_ANSWERS_WITHIN_S: Final = 5.0


def complete(settings: Any) -> None:
    """Add the missing settings to `settings`."""
    settings.VOICE = (
        engines.SETTINGS | SERVICE | ADDRESSES | ENCRYPTION | {"CLOUD": {}} | getattr(settings, "VOICE", {})
    )
    for name, value in (APART | STORES).items():
        if not hasattr(settings, name):
            setattr(settings, name, value)
    if not hasattr(settings, "RQ_QUEUES"):
        settings.RQ_QUEUES = queues(settings.REDIS_URL)


def queues(
    redis_url: str,
    names: Sequence[str] = QUEUE_NAMES,
    *,
    sentinels: Sequence[tuple[str, int]] = (),
    sentinel_password: str = "",
) -> dict[str, dict[str, Any]]:
    """Django-RQ's RQ_QUEUES: these queues, by default those of the speech service, in one Redis."""
    place = _place(redis_url, sentinels, sentinel_password) if sentinels else {"URL": redis_url}
    return {name: {**place, "DEFAULT_TIMEOUT": QUEUE_TIMEOUT_S} for name in names}


def _place(redis_url: str, sentinels: Sequence[tuple[str, int]], sentinel_password: str) -> dict[str, Any]:
    """Return the master that the sentinels know, in Django-RQ's words; workers and pages have their own."""
    options = parse_url(redis_url)
    return {
        "SENTINELS": list(sentinels),
        "MASTER_NAME": options["host"],
        "DB": options.get("db", 0),
        "USERNAME": options.get("username"),
        "PASSWORD": options.get("password"),
        "SOCKET_TIMEOUT": MASTER_ANSWERS_WITHIN_S,
        "CONNECTION_KWARGS": redis_sentinel.tls_options(redis_url),
        "SENTINEL_KWARGS": redis_sentinel.sentinel_options(redis_url, sentinel_password),
    }
