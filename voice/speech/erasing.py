"""Erase what is left of a spoken text or a cloned voice whose row was deleted."""

from voice.infra import object_storage
from voice.models import Speech
from voice.queues import jobs
from voice.speech import cache, cloning, rendering


def erase_speech(key: str) -> None:
    """Erase the audio of a text, unless the text is wanted again."""
    if Speech.objects.filter(pk=key).exists():
        return
    jobs.forget([rendering.rendering_job_id(key), rendering.listening_job_id(key)])
    cache.forget([rendering.hot_key(key)])
    object_storage.delete(rendering.file_name(key))


def find_speech(key: str) -> list[str]:
    """Return what is left of a text that is not wanted again."""
    if Speech.objects.filter(pk=key).exists():
        return []
    name = rendering.file_name(key)
    uploads = [upload.name for upload in object_storage.incomplete_uploads(name)]
    hot = [rendering.hot_key(key)] if cache.holds(rendering.hot_key(key)) else []
    return [*object_storage.names(name), *uploads, *hot]


def erase_clone(key: str) -> None:
    """Erase the reference recording and the embedding of a voice, and what it said, from the cache."""
    cache.forget(cache.keys_by_speaker(key))
    object_storage.delete(cloning.directory(key))


def find_clone(key: str) -> list[str]:
    """Return what is left of a cloned voice."""
    prefix = cloning.directory(key)
    uploads = [upload.name for upload in object_storage.incomplete_uploads(prefix)]
    return [*object_storage.names(prefix), *uploads, *cache.keys_by_speaker(key)]
