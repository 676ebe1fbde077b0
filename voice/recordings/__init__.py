"""Recorded audio, kept safely: buffer in Redis, segments and files in object storage."""
