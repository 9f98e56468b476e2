"""Round trips through two channels. With a gap both sides block before each trip, and the median counts."""

from xichan.bench.workloads import Workload


class RoundTrip(Workload):
    def __init__(self, scenario, contender, workers):
        super().__init__(scenario, contender, workers)
        self.gap = scenario.options["gap"]
        self.n = 3

    def check(self):
        for index in (0, 1):  # check each channel separately
            sending, receiving = self.contender.open(self.spec(index))
            jobs = ("check_receive", receiving, self.job(n=2)), ("check_send", sending, self.job(n=2))
            self.workers.run(*jobs)
            self.contender.close(sending, receiving)

    def run(self, n):
        return self._each(n) * n

    def begin(self, seconds):
        if not self.gap:
            return super().begin(seconds)
        self.check()
        self.n = max(3, int(seconds / (self.gap + self._each(3))))

    def round(self, seconds):
        if not self.gap:
            return super().round(seconds)
        return self._each(self.n)

    def _each(self, n):
        requests, replies = self.contender.open(self.spec(0)), self.contender.open(self.spec(1))
        records = self.workers.run(
            ("reply", (requests[1], replies[0]), self.job(n=n)),
            ("ask", (requests[0], replies[1]), self.job(n=n)),
        )
        self.contender.close(*requests)
        self.contender.close(*replies)
        return records[1]["each"]
