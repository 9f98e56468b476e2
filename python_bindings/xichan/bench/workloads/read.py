"""A large tuple is received and a few of its elements are read."""

from xichan.bench.workloads import single_thread

TIMES = 3  # in a round; the sending is not timed and takes far longer


class Work(single_thread.Work):
    role = "read"

    def begin(self, seconds):
        self.check()

    def round(self, seconds):
        return self.run(TIMES) / TIMES
