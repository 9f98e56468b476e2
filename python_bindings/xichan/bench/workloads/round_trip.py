"""There and back through two channels. With a gap both sides have gone to sleep before each, and the median counts."""

from xichan.bench.workloads import Kind


class Work(Kind):
    def __init__(self, scenario, peer, crew):
        super().__init__(scenario, peer, crew)
        self.gap = scenario.options["gap"]
        self.n = 3

    def check(self):
        for index in (0, 1):  # each channel by itself
            sending, receiving = self.peer.open(self.spec(index))
            jobs = ("check_receive", receiving, self.job(n=2)), ("check_send", sending, self.job(n=2))
            self.crew.run(*jobs)
            self.peer.close(sending, receiving)

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
        there, back = self.peer.open(self.spec(0)), self.peer.open(self.spec(1))
        answers = self.crew.run(
            ("answer", (there[1], back[0]), self.job(n=n)),
            ("ask", (there[0], back[1]), self.job(n=n)),
        )
        self.peer.close(*there)
        self.peer.close(*back)
        return answers[1]["each"]
