"""One sender sends to several channels by turns, one receiver takes from whichever has a value."""

from xichan.bench.workloads import Kind


class Work(Kind):
    def check(self):
        self.run(2 * self.scenario.options["channels"])

    def run(self, n):
        channels = [self.peer.open(self.spec(index)) for index in range(self.scenario.options["channels"])]
        sendings, receivings = zip(*channels, strict=True)
        answers = self.crew.run(
            ("receive_any", receivings, self.job(n=n)),
            ("send_turns", sendings, self.job(n=n)),
        )
        for channel in channels:
            self.peer.close(*channel)
        return answers[0]["end"] - answers[1]["start"]
