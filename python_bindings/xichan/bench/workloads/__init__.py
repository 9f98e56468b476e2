"""How the scenarios are measured: one class for each kind of work, in the process of a contender.

begin(seconds)   check what arrives, and find out how many messages take about so long
round(seconds)   one round: the seconds, bytes or share for each message
"""

import importlib

from xichan.bench import values
from xichan.bench.contenders import Spec
from xichan.bench.scenarios import LARGE

IN_FLIGHT = 512 << 20  # bytes that unbounded queues may have to hold
LEAST = 128  # bytes that a message is taken to need
MAX_BYTES = 4 << 20


class Kind:
    """One contender in one scenario."""

    def __init__(self, scenario, peer, crew):
        self.scenario, self.peer, self.crew = scenario, peer, crew
        self.n = self.step = scenario.senders * scenario.receivers * scenario.options.get("batch", 1)
        self.nbytes = values.size(scenario.payload)
        held = peer.holds(self.nbytes, bool(scenario.options.get("shared")))
        self.most = max(IN_FLIGHT // max(held, LEAST) // self.step, 1) * self.step

    def spec(self, number=0, **changes):
        """What a channel is opened for."""
        bound = max(MAX_BYTES, 3 * self.nbytes) if self.nbytes >= LARGE else None
        return Spec(
            payload=self.scenario.payload,
            nbytes=self.nbytes,
            senders=self.scenario.senders,
            receivers=self.scenario.receivers,
            max_bytes=bound,
            number=number,
        )._replace(**changes)

    def job(self, **more):
        """The parameters of a worker's job."""
        return {"payload": self.scenario.payload, **self.scenario.options, **more}

    def begin(self, seconds):
        self.check()
        elapsed = self.run(self.n)
        while elapsed < seconds / 8 and self.n < self.most:
            self.grow(seconds / 4 / max(elapsed, 1e-7))
            elapsed = self.run(self.n)
        self.grow(1.2 * seconds / elapsed)

    def grow(self, factor):
        """Change the number of messages by a factor, within limits."""
        wanted = int(self.n * min(max(factor, 0.1), 16)) // self.step * self.step
        self.n = min(max(wanted, self.step), self.most)

    def round(self, seconds):
        """Batches until the time is up."""
        count, total = 0, 0.0
        while total < seconds:
            elapsed = self.run(self.n)
            count += self.n
            total += elapsed
            if elapsed < seconds / 2:
                self.grow(seconds / max(elapsed, 1e-7))
        return total / count

    def check(self):
        """Send some values and have them compared at the far end. Raises Wrong."""
        raise NotImplementedError

    def run(self, n):
        """Send n messages; the seconds that it took."""
        raise NotImplementedError


def make(scenario, peer, crew):
    """The kind that a scenario names."""
    return importlib.import_module(f"{__name__}.{scenario.kind}").Work(scenario, peer, crew)
