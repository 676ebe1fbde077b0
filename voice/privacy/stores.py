"""The registry of everything that the speech service keeps: what is personal, and what is not and why.

Each store of personal data registers how the data of a key are erased and how they are found. A test refuses
a table or a key of Redis that neither `STORES` nor `WITHOUT_PERSONAL_DATA` covers.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from voice.infra import object_storage
from voice.models import Batch, ClonedVoice, DataKey, PendingErasure, Recording, Speech
from voice.recordings import erasing as recordings
from voice.service import batches
from voice.speech import erasing as speech

Store = PendingErasure.Store


@dataclass(frozen=True, slots=True)
class Registered:
    """A store of personal data.

    erase: erases what belongs to a key whose row is gone; it may be called again, also after half of it.
    find: returns what is left, as names for people; empty once the erasure is complete.
    tables: the models whose rows it covers. redis_keys: patterns of the keys in Redis. files: what the names
    of its files in object storage begin with; the key comes next. alive: returns which keys have a row.
    """

    erase: Callable[[str], None]
    find: Callable[[str], list[str]]
    tables: tuple[str, ...]
    redis_keys: tuple[str, ...] = ()
    files: str = ""
    alive: Callable[[Collection[str]], set[str]] = lambda keys: set(keys)


def with_row(rows: QuerySet) -> Callable[[Collection[str]], set[str]]:
    """Return a function that tells which keys are primary keys of `rows`, for `Registered.alive`."""

    def alive(keys: Collection[str]) -> set[str]:
        to_key = rows.model._meta.pk.to_python  # noqa: SLF001  a documented name
        valid = [key for key in keys if _is_key(to_key, key)]
        return {str(pk) for pk in rows.all().filter(pk__in=valid).values_list("pk", flat=True)}

    return alive


def _is_key(to_key: Callable[[str], object], key: str) -> bool:
    try:
        to_key(key)
    except ValidationError:
        return False
    return True


STORES: Final[Mapping[str, Registered]] = {
    Store.DATA_KEY: Registered(
        recordings.destroy_key,
        recordings.find_key,
        tables=("voice.DataKey",),
        alive=with_row(DataKey.objects.all()),
    ),
    Store.RECORDING: Registered(
        recordings.erase,
        recordings.find,
        tables=("voice.Recording", "voice.Transcript", "voice.TranscriptVersion"),
        redis_keys=("voice:recording:*",),
        files="recordings/",
        alive=with_row(Recording.objects.exclude(status=Recording.Status.DISCARDED)),
    ),
    Store.SPEECH: Registered(
        speech.erase_speech,
        speech.find_speech,
        tables=("voice.Speech",),
        redis_keys=("voice:cache:item:question-*",),
        files="speech/",
        alive=with_row(Speech.objects.all()),
    ),
    Store.CLONED_VOICE: Registered(
        speech.erase_clone,
        speech.find_clone,
        tables=("voice.ClonedVoice",),
        redis_keys=("voice:cache:item:*",),
        files="voices/",
        alive=with_row(ClonedVoice.objects.all()),
    ),
    Store.BATCH: Registered(
        lambda key: object_storage.delete(batches.directory(key)),
        lambda key: object_storage.names(batches.directory(key)),
        tables=("voice.Batch", "voice.BatchFile"),
        files="batches/",
        alive=with_row(Batch.objects.all()),
    ),
}

WITHOUT_PERSONAL_DATA: Final[Mapping[str, str]] = {
    "voice.PendingErasure": "random ids of deleted rows, until nothing is found under them",
    "voice:bell:*": "that a job came to a queue",
    "voice:swept": "when lost jobs were last looked for",
    "voice:breaker:*": "how often an engine failed",
    "voice:cache:used": "hashes of what is cached, in order of use",
    "voice:cache:expiry": "hashes of what is cached, in order of expiry",
    "voice:cache:sizes": "hashes of what is cached, with sizes",
    "voice:cache:counts": "counts of the cache",
    "voice:call:*": "a request to the speech service and its answer; gone after 5 minutes",
    "voice:calls:audio": "random ids of calls",
    "voice:connections:*": "random ids of a key's connections; 60 s",
    "voice:engines": "which engines worker processes have",
    "voice:engines:languages": "which languages they know",
    "voice:engines:origins": "where their models came from",
    "voice:requests:*": "how many requests a key or an address made; 60 s",
    "voice:retreat": "what processes leave undone under load",
    "voice:turns:*": "when a tenant, such as an organisation, last had its turn in a queue; 10 minutes",
    "rq:*": "jobs; their arguments are ids, and those of a recording are erased with it",
}
"""Models as `app.Model` and keys of Redis as patterns, each with the reason. `STORES` goes first."""
