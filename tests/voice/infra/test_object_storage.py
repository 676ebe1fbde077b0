import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from moto import mock_aws
from storages.backends.s3 import S3Storage

from voice.encryption import files, keys
from voice.infra import object_storage

CONTENT = b"abcdefgh" * 40_000


@pytest.fixture(params=["files", "s3"])
def storage(request, monkeypatch):
    """The storage of these tests, or a bucket."""
    if request.param == "files":
        yield
        return
    with mock_aws():
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="recordings")
        bucket = S3Storage(bucket_name="recordings", region_name="us-east-1", file_overwrite=True)
        monkeypatch.setattr(default_storage, "_wrapped", bucket)
        yield


@pytest.mark.usefixtures("storage")
class TestBlocks:
    def test_file_comes_in_blocks(self):
        name = default_storage.save("recordings/blocks.flac", ContentFile(CONTENT))
        blocks = list(object_storage.blocks(name, 100_000))
        assert b"".join(blocks) == CONTENT
        assert [len(block) for block in blocks] == [100_000, 100_000, 100_000, 20_000]

    def test_missing_file_is_told_before_the_first_block(self):
        with pytest.raises(FileNotFoundError):
            object_storage.blocks("recordings/no-such-file.flac", 100_000)


@pytest.mark.usefixtures("storage")
class TestParts:
    def test_any_part_of_a_file_comes_alone(self):
        name = default_storage.save("recordings/parts.flac", ContentFile(CONTENT))
        end = object_storage.size(name)
        assert end == len(CONTENT)
        for start, stop in ((0, 1), (7, 9), (100_000, 200_000), (end - 3, end), (5, 5)):
            assert object_storage.part(name, start, stop) == CONTENT[start:stop]

    def test_a_missing_file_is_told(self):
        for ask in (object_storage.size, lambda name: object_storage.part(name, 0, 1)):
            with pytest.raises(FileNotFoundError):
                ask("recordings/no-such-file.flac")


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("keeps_versions", [False, True])
def test_a_file_is_deleted_with_all_its_versions_and_its_neighbour_stays(keeps_versions):
    if keeps_versions and (bucket := getattr(default_storage, "bucket", None)):
        bucket.Versioning().enable()
    for name, content in (("keys/1", b"a"), ("keys/1", b"b"), ("keys/12", b"c")):
        default_storage.save(name, ContentFile(content))
    default_storage.delete("keys/1")
    default_storage.save("keys/1", ContentFile(b"d"))
    assert object_storage.is_there("keys/1", default_storage)

    object_storage.delete_versions("keys/1", default_storage)
    object_storage.delete_versions("keys/1", default_storage)

    assert not object_storage.is_there("keys/1", default_storage)
    assert [name for name in object_storage.all_names() if name.startswith("keys/")] == ["keys/12"]


@pytest.mark.django_db
@pytest.mark.usefixtures("encryption", "storage")
def test_an_encrypted_file_is_read_at_any_place():
    key_id = keys.reserve()
    files.save("recordings/encrypted", CONTENT, key_id=key_id)
    with files.opened("recordings/encrypted", key_id=key_id) as file:
        file.seek(70_000)
        assert (file.size, file.read(100_000)) == (len(CONTENT), CONTENT[70_000:170_000])
    assert b"".join(files.pieces("recordings/encrypted", 100_000, key_id=key_id)) == CONTENT
    assert CONTENT[:32] not in object_storage.part(
        "recordings/encrypted", 0, object_storage.size("recordings/encrypted")
    )
    with pytest.raises(FileNotFoundError):
        files.pieces("recordings/no-such-file", 100_000, key_id=key_id)
