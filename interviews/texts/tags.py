"""Words that sort questions, as recruiters write them: `backend, Python, seniors`."""

from voice.text.normalisation import normalise


def tags(text: str) -> list[str]:
    """Return each word once, as it was written first."""
    found: dict[str, str] = {}
    for part in text.split(","):
        if tag := normalise(part):
            found.setdefault(tag.casefold(), tag)
    return list(found.values())


def tidy(text: str) -> str:
    """Return the words in the form in which they are kept, with commas between them."""
    return ", ".join(tags(text))
