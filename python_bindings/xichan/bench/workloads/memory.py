"""Growth of the process's memory with queued messages. Each round needs a fresh process."""

import os

from xichan.bench import values
from xichan.bench.workloads import Workload

MESSAGES = 100_000
MAX_CONTENT = 128 << 20  # bytes


class Memory(Workload):
    def begin(self, seconds):
        self.check()

    def check(self):
        self._fill(self.step)

    def round(self, seconds):
        self._fill(self.step)  # creates the interpreters, imports the modules and makes the value
        n = (
            max(min(MESSAGES, MAX_CONTENT // max(values.size(self.scenario.payload), 1)), self.step)
            // self.step
            * self.step
        )
        return self._fill(n) / n

    def _fill(self, n):
        before = resident()
        sending, receiving = self.contender.open(self.spec(capacity=n, max_bytes=None))
        job = self.job(n=n // self.scenario.senders, warm=0)
        self.workers.run(*[("send", sending, job)] * self.scenario.senders)
        grown = resident() - before
        self.contender.close(sending, receiving)
        return grown


def resident():
    """Return the resident memory of the process in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
