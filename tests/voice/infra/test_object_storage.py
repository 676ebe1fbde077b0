import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from moto import mock_aws
from storages.backends.s3 import S3Storage

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
