"""Make the buckets of S3_BUCKET and KEYS_BUCKET unless they are there."""

import os

import boto3
from botocore.config import Config

storage = boto3.client(
    "s3",
    endpoint_url=os.environ["S3_ENDPOINT_URL"],
    aws_access_key_id=os.environ["S3_ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["S3_SECRET_ACCESS_KEY"],
    region_name=os.environ["S3_REGION"],
    config=Config(s3={"addressing_style": "path"}),
)
known = [bucket["Name"] for bucket in storage.list_buckets()["Buckets"]]
for name in (os.environ["S3_BUCKET"], os.environ.get("KEYS_BUCKET", "")):
    if name and name not in known:
        storage.create_bucket(Bucket=name)
        print(f"The bucket {name} was made.")
