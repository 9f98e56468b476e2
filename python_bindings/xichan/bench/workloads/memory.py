"""How the memory of the process grows by messages that nobody has received yet. Wants a new process each time."""

import os

from xichan.bench import values
from xichan.bench.workloads import Kind

MESSAGES = 100_000
AT_MOST = 128 << 20  # bytes of content


class Work(Kind):
    def begin(self, seconds):
        self.check()

    def check(self):
        self._fill(self.step)

    def round(self, seconds):
        self._fill(self.step)  # interpreters, modules and the value itself are there from now on
        n = (
            max(min(MESSAGES, AT_MOST // max(values.size(self.scenario.payload), 1)), self.step)
            // self.step
            * self.step
        )
        return self._fill(n) / n

    def _fill(self, n):
        before = resident()
        sending, receiving = self.peer.open(self.spec(capacity=n, max_bytes=None))
        job = self.job(n=n // self.scenario.senders, warm=0)
        self.crew.run(*[("send", sending, job)] * self.scenario.senders)
        grown = resident() - before
        self.peer.close(sending, receiving)
        return grown


def resident():
    """Bytes of memory that the process has now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
