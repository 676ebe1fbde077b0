"""How much a connection may say of what its page notices: each thing said costs a statement."""

AT_ONCE = 10
"""So many things one after the other: a person who looks for another window does no more."""
ONE_EVERY_S = 2.0


class Noticing:
    """Counts what is noticed. What comes faster is left out without a word: the page needs no answer.

    The caller passes `now_s`, the seconds of a monotonic clock.
    """

    def __init__(self) -> None:
        self._left = float(AT_ONCE)
        self._since_s: float | None = None
        self._may_be_away = True  # an earlier connection may have left

    def may_note(self, now_s: float) -> bool:
        """Count one thing more. Return whether it is noted."""
        passed_s = now_s - self._since_s if self._since_s is not None else 0.0
        self._since_s = now_s
        self._left = min(float(AT_ONCE), self._left + passed_s / ONE_EVERY_S)
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def may_leave(self, now_s: float) -> bool:
        """Count that the page is left."""
        is_noted = self.may_note(now_s)
        self._may_be_away = self._may_be_away or is_noted
        return is_noted

    def may_return(self) -> bool:
        """Whether a return may end something: at most once for each time that the page was left."""
        may_be_away, self._may_be_away = self._may_be_away, False
        return may_be_away
