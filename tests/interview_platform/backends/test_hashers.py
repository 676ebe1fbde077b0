"""Hashing of passwords."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, make_password
from django.db import connection

from interview_platform.backends import hashers


def test_hashes_are_those_of_django():
    encoded = PBKDF2PasswordHasher().encode("secret", "salt", 1000)

    assert hashers.PatientPBKDF2PasswordHasher().encode("secret", "salt", 1000) == encoded
    assert check_password("secret", encoded)
    assert make_password("secret").startswith("pbkdf2_sha256$")


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_held_while_a_password_is_hashed(monkeypatch):
    held = []

    def hash_slowly(*args, **options):
        held.append(connection_of_caller.connection is not None)
        return b"hash"

    connection_of_caller = connection
    connection.ensure_connection()
    monkeypatch.setattr("django.contrib.auth.hashers.pbkdf2", hash_slowly)
    hashers.PatientPBKDF2PasswordHasher().encode("secret", "salt", 1)

    assert held == [False]


@pytest.mark.django_db(transaction=True)
def test_transaction_keeps_its_connection():
    from django.db import transaction

    with transaction.atomic():
        hashers.PatientPBKDF2PasswordHasher().encode("secret", "salt", 1)
        assert connection.connection is not None


def test_passwords_are_hashed_one_at_a_time_after_other_work(monkeypatch):
    threads, at_once, most = set(), 0, 0

    def note(*args, **options):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        threads.add(
            (threading.current_thread().name, os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        )
        at_once -= 1
        return b"hash"

    monkeypatch.setattr("django.contrib.auth.hashers.pbkdf2", note)
    with ThreadPoolExecutor(8) as callers:
        list(
            callers.map(
                lambda _: hashers.PatientPBKDF2PasswordHasher().encode("secret", "salt", 1), range(50)
            )
        )

    ((name, nice),) = threads
    assert name.startswith("hashing")
    assert most == 1
    assert nice >= min(19, os.getpriority(os.PRIO_PROCESS, 0) + hashers.NICE)
