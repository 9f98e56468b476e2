"""One way through one channel: each sender sends its share, each receiver takes its share, plainly or in batches.

The clock runs from the start of the first sender until the last receiver has its last value.
"""

from xichan.bench.workloads import Kind


class Work(Kind):
    def check(self):
        self._pass_on(2 * self.scenario.senders * self.scenario.receivers, "check_send", "check_receive")

    def run(self, n):
        plain = "batch" not in self.scenario.options
        answers = self._pass_on(n, *(("send", "receive") if plain else ("send_batches", "receive_batches")))
        return max(one.get("end", 0) for one in answers) - min(one["start"] for one in answers if "start" in one)

    def _pass_on(self, n, send, receive):
        sending, receiving = self.peer.open(self.spec())
        senders, receivers = self.scenario.senders, self.scenario.receivers
        jobs = [(receive, receiving, self.job(n=n // receivers, warm=senders))] * receivers
        jobs += [(send, sending, self.job(n=n // senders, warm=receivers))] * senders
        answers = self.crew.run(*jobs)
        self.peer.close(sending, receiving)
        return answers
