"""One thread sends to itself: what the calls cost, without any waiting."""

from xichan.bench.workloads import Kind


class Work(Kind):
    role = "ask"

    def check(self):
        if self.peer.place == "processes":
            self.run(1)
            return
        sending, receiving = self.peer.open(self.spec())
        self.crew.run(("check_send", sending, self.job(n=2)), ("check_receive", receiving, self.job(n=2)))
        self.peer.close(sending, receiving)

    def run(self, n):
        sending, receiving = self.peer.open(self.spec())
        answers = self.crew.run((self.role, (sending, receiving), self.job(n=n, gap=0)))
        self.peer.close(sending, receiving)
        return answers[0]["each"] * n
