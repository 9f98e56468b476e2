"""CPU time of blocked receives: threads of one worker, each waiting on its own channel."""

from xichan.bench.workloads import Workload

MIN_SECONDS = 0.5  # long enough for a queue that polls every 10 ms to poll many times


class Idle(Workload):
    def begin(self, seconds):
        self._wait(2, 0.01)

    def round(self, seconds):
        return self._wait(self.scenario.options["receivers"], max(seconds, MIN_SECONDS))

    def _wait(self, receivers, seconds):
        channels = [self.contender.open(self.spec(index, capacity=1)) for index in range(receivers)]
        records = self.workers.run(("block", tuple(zip(*channels, strict=True)), self.job(seconds=seconds)))
        for channel in channels:
            self.contender.close(*channel)
        return records[0]["each"]
