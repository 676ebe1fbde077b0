"""The documents for recruiters and reviewers, and the pictures that `make pictures` makes for them."""

import re

from PIL import Image

from tests.pictures import IMAGES, PICTURES, ROOT, WIDTH, name_of

MOST_BYTES = 150_000
MADE = {f"{name_of(who, show)}.png" for who, shown in PICTURES.items() for show in shown}


def test_documents_show_exactly_the_pictures_that_are_made():
    texts = [(ROOT / "docs" / f"{who}.md").read_text() for who in PICTURES]
    shown = [name for text in texts for name in re.findall(r"\(images/([^)]+)\)", text)]
    assert sorted(shown) == sorted(MADE)


def test_pictures_are_there_and_small():
    for name in MADE:
        assert (IMAGES / name).stat().st_size <= MOST_BYTES, name
        with Image.open(IMAGES / name) as picture:
            assert picture.width == WIDTH, name
