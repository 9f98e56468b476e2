"""Pools of one worker, one after another: from the submission of the first task to its result.

The task is a built-in function: the worker imports nothing for it but what the pool needs. A function of this package
would bring its own imports, which take ten times as long as the rest.
"""

import time

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
                result = pool.submit(abs, -number).result()
                elapsed += time.perf_counter() - start
            if result != number:
                raise WrongValue(f"expected {number}, got {result!r}")
        return elapsed
