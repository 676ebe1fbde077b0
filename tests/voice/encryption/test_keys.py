"""Data keys: made once, wrapped by the newest key, and gone for ever once they are destroyed."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from voice.encryption import keys
from voice.encryption.wrapping import LocalKeys
from voice.errors import DecryptionFailed, KeyDestroyed, KeyMissing, KeyUnavailable
from voice.infra import object_storage
from voice.models import DataKey

OLD, NEW = "the old key, of 32 characters or more", "the new key, of 32 characters or more"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("encryption")]


@pytest.fixture
def use_keys(settings):
    """Replace the keys that wrap; keys that this process remembers are forgotten."""

    def use(*texts: str) -> None:
        settings.VOICE = settings.VOICE | {"ENCRYPTION_KEYS": list(texts)}
        keys.forget_all()

    return use


def content_of(key_id) -> bytes:
    with keys.store().open(keys.name_of(key_id)) as file:
        return file.read()


def replace(key_id, content: bytes) -> None:
    keys.store().save(keys.name_of(key_id), ContentFile(content))
    keys.forget_all()


def test_no_key_is_reserved_while_encryption_is_off(settings):
    settings.VOICE = settings.VOICE | {"ENCRYPTION": False}

    assert keys.reserve() is None
    assert not DataKey.objects.exists()


def test_a_reserved_key_is_made_when_it_is_first_needed_and_stays_the_same():
    key_id = keys.reserve()
    assert not keys.exists(key_id)

    key = keys.of(key_id)
    keys.forget_all()

    assert keys.exists(key_id)
    assert keys.of(key_id) == key
    assert (len(key), key in content_of(key_id)) == (32, False)
    assert keys.of(keys.reserve()) != key


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_need_a_key_at_once_make_one():
    key_id = keys.reserve()

    def make(_) -> bytes:
        try:
            return keys._make(key_id)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(make, range(4)))) == 1


def test_a_key_that_was_made_after_the_moment_of_a_restore_is_used():
    key_id = keys.reserve()
    key = keys.of(key_id)
    DataKey.objects.update(made_at=None)
    keys.forget_all()

    assert keys.of(key_id) == key


def test_a_destroyed_key_is_never_made_anew():
    key_id = keys.reserve()
    keys.of(key_id)
    DataKey.objects.filter(pk=key_id).delete()
    keys.destroy(key_id)
    keys.destroy(key_id)

    with pytest.raises(KeyDestroyed):
        keys.of(key_id)
    DataKey(pk=key_id, made_at=timezone.now()).save()  # the row of a restored database
    with pytest.raises(KeyMissing, match="restore the key"):
        keys.of(key_id)


def test_no_key_is_made_in_a_store_that_lacks_those_made_before():
    made, reserved = keys.reserve(), keys.reserve()
    keys.of(made)
    content = content_of(made)
    keys.destroy(made)  # as if the store were not mounted
    with pytest.raises(KeyMissing, match="mount"):
        keys.of(reserved)
    assert not keys.exists(reserved)

    replace(made, content)
    assert keys.of(reserved) != keys.of(made)


def test_rotation_wraps_every_key_by_the_newest_and_leaves_the_old_out(use_keys, capsys):
    use_keys(OLD)
    made = {key_id: keys.of(key_id) for key_id in (keys.reserve(), keys.reserve())}
    never_made = keys.reserve()
    use_keys(NEW, OLD)
    newest = keys.reserve()
    made[newest] = keys.of(newest)

    call_command("rewrap_data_keys")

    assert capsys.readouterr().out == "Data keys wrapped anew: 2. Wrapped so before: 1.\n"
    use_keys(NEW)
    assert {key_id: keys.of(key_id) for key_id in made} == made
    assert not keys.exists(never_made)
    use_keys(OLD)
    with pytest.raises(KeyUnavailable, match="Add it at the end"):
        keys.of(newest)


def test_rotation_tells_of_keys_that_it_cannot_read(use_keys):
    use_keys(OLD)
    keys.of(keys.reserve())
    use_keys(NEW)

    with pytest.raises(CommandError, match="1 data keys cannot be read"):
        call_command("rewrap_data_keys")


@pytest.mark.django_db(transaction=True)
def test_a_key_that_is_destroyed_during_rotation_does_not_come_back(use_keys, monkeypatch):
    use_keys(OLD)
    key_id = keys.reserve()
    keys.of(key_id)
    use_keys(NEW, OLD)

    def erased_meanwhile(*args):
        with ThreadPoolExecutor(1) as thread:
            thread.submit(erase).result()
        return read(*args)

    def erase() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = 50")  # the row is held, so this erasure waits
                DataKey.objects.filter(pk=key_id).delete()
        finally:
            connections.close_all()

    read = keys._read
    monkeypatch.setattr(keys, "_read", erased_meanwhile)
    with pytest.raises(Exception, match="lock timeout"):
        keys.rewrap()
    monkeypatch.undo()

    DataKey.objects.filter(pk=key_id).delete()
    keys.destroy(key_id)
    assert keys.rewrap() == {}
    assert not keys.exists(key_id)


DAMAGES = {
    "no JSON": lambda content, _: b"\xff",
    "nothing": lambda content, _: b"",
    "another format": lambda content, _: content.replace(b'"format": 1', b'"format": 2'),
    "a changed key": lambda content, _: json.dumps(json.loads(content) | {"wrapped": "AAAA" * 20}).encode(),
    "no base64": lambda content, _: json.dumps(json.loads(content) | {"wrapped": "é"}).encode(),
    "the key of another": lambda _, other: other,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_or_exchanged_key_is_refused(damage):
    mine, other = keys.reserve(), keys.reserve()
    keys.of(mine), keys.of(other)
    replace(mine, damage(content_of(mine), content_of(other)))

    with pytest.raises(DecryptionFailed):
        keys.of(mine)


def test_a_process_forgets_a_key_after_a_while(monkeypatch):
    key_id = keys.reserve()
    keys.of(key_id)
    keys.store().delete(keys.name_of(key_id))  # by another process
    keys.of(key_id)
    clock = keys.time.monotonic() + keys.KNOWN_S + 1
    monkeypatch.setattr(keys.time, "monotonic", lambda: clock)

    with pytest.raises(KeyMissing):
        keys.of(key_id)


def test_few_keys_are_remembered(monkeypatch):
    monkeypatch.setattr(keys, "MOST_KNOWN", 2)
    made = [keys.reserve() for _ in range(3)]
    for key_id in made:
        keys.of(key_id)

    assert [keys._known.get(key_id) is None for key_id in made] == [True, False, False]


class Remote(LocalKeys):
    """A key management service: it knows one key, by a name of its own."""

    def __init__(self) -> None:
        super().__init__([OLD])

    def newest(self) -> str:
        return "arn:key/1"

    def _key(self, key_id):
        assert key_id == "arn:key/1"
        return super()._key(super().newest())


def test_a_service_for_keys_takes_the_place_of_the_local_ones(settings):
    settings.VOICE = settings.VOICE | {"KEY_WRAPPING": f"{__name__}.Remote", "ENCRYPTION_KEYS": []}
    key_id = keys.reserve()
    key = keys.of(key_id)
    keys.forget_all()

    assert keys.of(key_id) == key
    assert json.loads(content_of(key_id))["wrapped_by"] == "arn:key/1"


def test_without_a_key_that_wraps_nothing_is_made(use_keys):
    use_keys()
    key_id = keys.reserve()

    with pytest.raises(KeyUnavailable, match="ENCRYPTION_KEYS is empty"):
        keys.of(key_id)
    assert not keys.exists(key_id)


def test_every_key_of_the_store_is_listed():
    key_id = keys.reserve()
    keys.of(key_id)
    stranger = uuid4()
    replace(stranger, b"{}")

    assert {str(key_id), str(stranger)} <= set(keys.all_ids())
    object_storage.delete_versions(keys.name_of(stranger), keys.store())
    assert str(stranger) not in keys.all_ids()
