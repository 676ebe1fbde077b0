from datetime import UTC, datetime
from uuid import uuid4

import pytest

from interviews import tokens

OLD, NEW = "the-old-key-of-links-in-this-one-test", "the-new-key-of-links-in-this-one-test"


@pytest.fixture
def token(settings):
    settings.TOKEN_KEYS = [OLD]
    return tokens.new_token()


def test_token_is_found_and_read_under_every_key(token, settings):
    digest, encrypted = tokens.digest(token), tokens.encrypt(token)
    settings.TOKEN_KEYS = [NEW, OLD]
    assert digest in tokens.digests(token)
    assert tokens.decrypt(encrypted) == token
    assert tokens.digest(token) == tokens.digests(token)[0] != digest, "the newest key writes"


def test_token_without_its_key_is_unreadable_and_says_so(token, settings):
    digest, encrypted = tokens.digest(token), tokens.encrypt(token)
    settings.TOKEN_KEYS = [NEW]
    assert digest not in tokens.digests(token)
    with pytest.raises(tokens.UnreadableToken, match="TOKEN_KEYS"):
        tokens.decrypt(encrypted)


def test_secret_key_has_no_part_in_it(token, settings):
    digest, encrypted = tokens.digest(token), tokens.encrypt(token)
    settings.SECRET_KEY = "changed"
    assert (tokens.digest(token), tokens.decrypt(encrypted)) == (digest, token)


def test_what_is_kept_does_not_tell_the_token(token):
    encrypted = tokens.encrypt(token)
    assert encrypted != tokens.encrypt(token), "equal tokens cannot be told by their encryption"
    assert token.encode() not in tokens.digest(token) + encrypted
    assert tokens.digest("a\udc80") == tokens.digest("a?"), "any path can be looked up"


def test_a_link_names_the_region_and_is_found_with_it_and_without(token, settings):
    digest = tokens.digest(token)
    settings.REGION = "eu-1"
    link = tokens.in_link(token)

    assert link == f"eu-1~{token}"
    assert digest in tokens.digests(link)
    assert digest in tokens.digests(token)
    assert tokens.in_link(link) == link


def test_a_link_that_is_signed_names_the_region_too(settings):
    settings.REGION = "eu-1"
    until = datetime(2030, 1, 1, tzinfo=UTC)
    key = uuid4()

    assert tokens.read_temporary(tokens.in_link(tokens.temporary(key, until=until))) == (key, until)
    assert tokens.read_confirmation(tokens.in_link(tokens.confirmation(key, until=until))) == (key, until)


def test_without_a_region_links_are_as_before(token):
    assert tokens.in_link(token) == token
