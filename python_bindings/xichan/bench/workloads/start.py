"""Pools of one worker, one after another: from the submission of the first task to its result."""

import time

from xichan.bench import roles
from xichan.bench.workers import WrongValue
from xichan.bench.workloads import Workload


class Start(Workload):
    def check(self):
        self.run(1)

    def run(self, n):
        make = self.contender.warm_pool if self.scenario.options["warm"] else self.contender.pool
        elapsed = 0.0
        for number in range(n):
            with make(1) as pool:
                start = time.perf_counter()
                result = pool.submit(roles.tiny_task, number).result()
                elapsed += time.perf_counter() - start
            if result != number + 1:
                raise WrongValue(f"expected {number + 1}, got {result!r}")
        return elapsed
