"""One sender sends to several channels in turn; one receiver selects over all of them."""

from xichan.bench.workloads import Workload


class Select(Workload):
    def check(self):
        self.run(2 * self.scenario.options["channels"])

    def run(self, n):
        channels = [self.contender.open(self.spec(index)) for index in range(self.scenario.options["channels"])]
        sendings, receivings = zip(*channels, strict=True)
        records = self.workers.run(
            ("receive_any", receivings, self.job(n=n)),
            ("send_turns", sendings, self.job(n=n)),
        )
        for channel in channels:
            self.contender.close(*channel)
        return records[0]["end"] - records[1]["start"]
