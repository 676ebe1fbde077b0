"""Whether what candidates say can be written down, and how sure that is."""

import redis

from voice.inference import reports

DOUBTFUL_BELOW = 0.5
"""Words with less confidence are marked: below even odds a word is more likely wrong than right."""


def lacks_engine(language: str) -> bool:
    """Whether the workers that run recognise other languages, but not this one.

    False while no worker runs or Redis is away: then nothing is known.
    """
    try:
        heard = reports.languages_heard()
    except redis.RedisError:
        return False
    return heard is not None and not reports.is_heard(language, heard)
