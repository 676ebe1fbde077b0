"""Encryption at rest: data keys, the keys that wrap them, and encrypted files (docs/encryption.md)."""
