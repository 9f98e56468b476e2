"""One thread sends to itself: the cost of the calls alone, without waiting."""

from xichan.bench.workloads import Workload


class SingleThread(Workload):
    role = "ask"

    def check(self):
        if self.contender.place == "processes":
            self.run(1)
            return
        sending, receiving = self.contender.open(self.spec())
        self.workers.run(("check_send", sending, self.job(n=2)), ("check_receive", receiving, self.job(n=2)))
        self.contender.close(sending, receiving)

    def run(self, n):
        sending, receiving = self.contender.open(self.spec())
        records = self.workers.run((self.role, (sending, receiving), self.job(n=n, gap=0)))
        self.contender.close(sending, receiving)
        return records[0]["each"] * n
