"""Receive a large value once, and look up one part of it many times: the cost of a view and of the plain object."""

from xichan.bench.workloads.single_thread import SingleThread


class Lookup(SingleThread):
    role = "look_up"

    def __init__(self, scenario, contender, workers):
        super().__init__(scenario, contender, workers)
        self.n = self.most = 100_000  # lookups, not messages: each run sends one value
