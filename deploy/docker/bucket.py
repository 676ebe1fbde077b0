"""Make the bucket of S3_BUCKET unless it is there."""

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
name = os.environ["S3_BUCKET"]
if name not in [bucket["Name"] for bucket in storage.list_buckets()["Buckets"]]:
    storage.create_bucket(Bucket=name)
    print(f"The bucket {name} was made.")
