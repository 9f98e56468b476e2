"""Receive a large tuple and read a few of its elements."""

from xichan.bench.workloads.single_thread import SingleThread

TIMES = 3  # per round: sends are not timed and take far longer


class Read(SingleThread):
    role = "read"

    def begin(self, seconds):
        self.check()

    def round(self, seconds):
        return self.run(TIMES) / TIMES
