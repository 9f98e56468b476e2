"""A large tuple is received and a few of its elements are read."""

from xichan.bench.kinds import alone

TIMES = 3  # in a round; the sending is not timed and takes far longer


class Work(alone.Work):
    role = "read"

    def begin(self, seconds):
        self.check()

    def round(self, seconds):
        return self.run(TIMES) / TIMES
