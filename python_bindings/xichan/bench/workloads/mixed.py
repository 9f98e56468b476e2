"""Several workers read and write one table of 1,000 keys at the same time.

The clock runs from the first operation of any worker until the last one of all.
"""

from xichan.bench import state_roles
from xichan.bench.workloads import Workload


class Mixed(Workload):
    def __init__(self, scenario, contender, workers):
        super().__init__(scenario, contender, workers)
        self.n = self.step = scenario.senders * state_roles.GROUP
        self.most -= self.most % self.step

    def check(self):
        self.run(self.step)

    def run(self, n):
        shared = self.contender.share(state_roles.entries(), None)
        count = self.scenario.senders
        records = self.workers.run(*(("mix", shared, self.job(n=n // count, worker=i)) for i in range(count)))
        self.contender.release(shared)
        return max(one["end"] for one in records) - min(one["start"] for one in records)
