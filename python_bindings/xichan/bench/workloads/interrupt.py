"""Interrupts of a Python loop in a worker: from the call to the error of the task. A percentile of each round counts.

`busy`: number of other workers, which compute meanwhile.
"""

import random
import time

from xichan.bench import roles
from xichan.bench.workers import WrongValue
from xichan.bench.workloads import Workload

LEAST = 200  # interrupts in a round, so that the 99th percentile is not the slowest


class Interrupt(Workload):
    def begin(self, seconds):
        self.pool = self.contender.pool(1 + self.scenario.options["busy"])
        self._interrupt()

    def round(self, seconds):
        others = [self.pool.submit(roles.spin) for _ in range(self.scenario.options["busy"])]
        delays = []
        deadline = time.perf_counter() + seconds
        while len(delays) < LEAST or time.perf_counter() < deadline:
            delays.append(self._interrupt())
        for other in others:
            other.interrupt()
        return sorted(delays)[len(delays) * self.scenario.options["percentile"] // 100]

    def _interrupt(self):
        """Interrupt a task at a random moment of its loop; return the seconds until it has ended."""
        future = self.pool.submit(roles.spin)
        while future.running_for is None:
            time.sleep(0.0002)
        time.sleep(random.random() * 0.005)
        start = time.perf_counter()
        future.interrupt()
        error = future.exception()
        delay = time.perf_counter() - start
        if type(error).__name__ != "TaskInterrupted":
            raise WrongValue(f"expected TaskInterrupted, got {error!r}")
        return delay
