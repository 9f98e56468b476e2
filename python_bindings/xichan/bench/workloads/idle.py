"""Threads of one worker, each waiting in a channel of its own: the processor time that the waiting takes."""

from xichan.bench.workloads import Kind

AT_LEAST = 0.5  # seconds; a queue that looks every 10 ms shall do so often enough


class Work(Kind):
    def begin(self, seconds):
        self._wait(2, 0.01)

    def round(self, seconds):
        return self._wait(self.scenario.options["receivers"], max(seconds, AT_LEAST))

    def _wait(self, receivers, seconds):
        channels = [self.peer.open(self.spec(index, capacity=1)) for index in range(receivers)]
        answers = self.crew.run(("block", tuple(zip(*channels, strict=True)), self.job(seconds=seconds)))
        for channel in channels:
            self.peer.close(*channel)
        return answers[0]["each"]
