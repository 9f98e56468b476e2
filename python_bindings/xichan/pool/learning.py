"""Learns from the outcomes of calls which of them to try in workers, and which to run elsewhere at once.

Calls of one function often need the same modules, but not always: a handler may import what a request asks for. So a
call is tried in a worker, and runs elsewhere if a module is refused there, until nearly all calls of its kind are
refused. From then on they run elsewhere at once, and a worker tries one of them now and then.

1. If 7/8 of the last 16 attempts were refused (of all, if there were fewer), the next 8 calls make no attempt. Each
   further refusal doubles this number, up to 128. So of n calls that are always refused, one after the other, about
   log2(n) are tried in vain if n is small, and one in 129 in the long run.
2. The first attempt that succeeds after that ends it, and the earlier outcomes are forgotten. So in any case at most 7
   attempts are refused for each one that succeeds, besides those in (1).
3. Attempts that had begun when (1) came into effect do not count for the doubling.

The counts are changed by any thread without a lock: two changes at the same moment may count as one.
"""

from __future__ import annotations

WINDOW = 16  # attempts
FIRST_PAUSE, LONGEST_PAUSE = 8, 128  # calls without an attempt

_MASK = (1 << WINDOW) - 1


class History:
    """The outcomes of the attempts to run calls of one kind in workers.

    direct: number of the next calls that make no attempt.
    """

    __slots__ = ("_attempts", "_early", "_pause", "_refusals", "direct")

    def __init__(self) -> None:
        self.direct = 0
        self._attempts = 0  # up to WINDOW
        self._refusals = 0  # a bit for each of these attempts, the lowest for the last one: whether it was refused
        self._pause = FIRST_PAUSE
        self._early = 0  # attempts whose outcomes are still to come (3)

    def skips_attempt(self) -> bool:
        """Return whether the next call makes no attempt, and count it."""
        if self.direct <= 0:
            return False
        self.direct -= 1
        return True

    def succeeded(self) -> None:
        """Note that a worker has run a call: no module was refused, even if it raised an exception."""
        if self._refusals:
            if self._nearly_all_refused():  # (2)
                self._attempts = self._refusals = self.direct = 0
                self._pause = FIRST_PAUSE
            self._early = 0
            self._refusals = self._refusals << 1 & _MASK
        if self._attempts < WINDOW:
            self._attempts += 1

    def refused(self, running: int) -> bool:
        """Note that an attempt was refused. Returns whether this sets ``direct``.

        running: number of attempts, of any kind, that have begun and not ended.
        """
        self._refusals = (self._refusals << 1 | 1) & _MASK
        self._attempts = min(self._attempts + 1, WINDOW)
        if self._early > 0:  # (3)
            self._early -= 1
            return False
        if not self._nearly_all_refused():
            return False
        self.direct = self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._early = running
        return True

    def _nearly_all_refused(self) -> bool:
        return 8 * self._refusals.bit_count() >= 7 * self._attempts
