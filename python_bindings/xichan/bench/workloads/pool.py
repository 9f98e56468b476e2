"""Pools of two workers: `map` over tiny tasks, or one submit and result at a time."""

import time

from xichan.bench import roles
from xichan.bench.workers import WrongValue
from xichan.bench.workloads import Workload

WORKERS = 2


class Pool(Workload):
    def check(self):
        self.pool = self.contender.pool(WORKERS)
        if list(self.pool.map(roles.tiny_task, range(100))) != list(range(1, 101)):
            raise WrongValue("map() did not return the results in order")
        if self.pool.submit(roles.tiny_task, 41).result() != 42:
            raise WrongValue("submit() returned a wrong result")

    def run(self, n):
        task = roles.tiny_task
        start = time.perf_counter()
        if self.scenario.options["what"] == "map":
            total = sum(self.pool.map(task, range(n)))
        else:
            submit = self.pool.submit
            total = sum(submit(task, number).result() for number in range(n))
        elapsed = time.perf_counter() - start
        if total != n * (n + 1) // 2:
            raise WrongValue("the sum of the results is wrong")
        return elapsed
