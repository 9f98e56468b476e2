"""One worker repeats one call on shared state that no other worker uses."""

from xichan.bench import state_roles, values
from xichan.bench.workloads import Workload


class StateCall(Workload):
    def check(self):
        self.run(2)

    def run(self, n):
        form = self.scenario.options["key"]
        value = values.make(self.scenario.payload)
        shared = self.contender.share({form(i): value for i in range(state_roles.KEYS)}, value)
        job = self.job(n=n, key=form(state_roles.KEYS // 2))
        records = self.workers.run(("call", shared, job))
        self.contender.release(shared)
        return records[0]["each"] * n
