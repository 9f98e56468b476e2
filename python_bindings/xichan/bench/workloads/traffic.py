"""One way through one channel, message by message or in batches. Each sender and each receiver handles its share.

The clock runs from the first send until the last receiver has its last value.
"""

from xichan.bench.workloads import Workload


class Traffic(Workload):
    def check(self):
        self._transfer(2 * self.scenario.senders * self.scenario.receivers, "check_send", "check_receive")

    def run(self, n):
        single = "batch" not in self.scenario.options
        records = self._transfer(n, *(("send", "receive") if single else ("send_batches", "receive_batches")))
        return max(one.get("end", 0) for one in records) - min(one["start"] for one in records if "start" in one)

    def _transfer(self, n, send, receive):
        sending, receiving = self.contender.open(self.spec())
        senders, receivers = self.scenario.senders, self.scenario.receivers
        jobs = [(receive, receiving, self.job(n=n // receivers, warm=senders))] * receivers
        jobs += [(send, sending, self.job(n=n // senders, warm=receivers))] * senders
        records = self.workers.run(*jobs)
        self.contender.close(sending, receiving)
        return records
