"""Pools of two workers: `map` over tiny tasks, or one task at a time from submit to result."""

import time

from xichan.bench import roles
from xichan.bench.crew import Wrong
from xichan.bench.workloads import Kind

WORKERS = 2


class Work(Kind):
    def check(self):
        self.pool = self.peer.pool(WORKERS)
        if list(self.pool.map(roles.tiny_task, range(100))) != list(range(1, 101)):
            raise Wrong("map gave something else than the results in order")
        if self.pool.submit(roles.tiny_task, 41).result() != 42:
            raise Wrong("submit gave something else than the result")

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
            raise Wrong("the results are not those of the tasks")
        return elapsed
