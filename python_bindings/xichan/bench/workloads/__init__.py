"""The workloads: one file each, with exactly one subclass of ``Workload``. They run in the process of a contender.

begin(seconds)   check the received values, and find how many messages take about that long
round(seconds)   run one round; return the seconds, bytes or CPU share per message
"""

import importlib

from xichan.bench import values
from xichan.bench.contenders import Spec
from xichan.bench.loader import only_subclass
from xichan.bench.scenarios import LARGE

IN_FLIGHT = 512 << 20  # bound on the bytes in unbounded queues
MIN_MESSAGE_BYTES = 128  # lower estimate of the memory per message


class Workload:
    """One contender in one scenario."""

    def __init__(self, scenario, contender, workers):
        self.scenario, self.contender, self.workers = scenario, contender, workers
        self.n = self.step = scenario.senders * scenario.receivers * scenario.options.get("batch", 1)
        self.nbytes = values.size(scenario.payload)
        held = contender.holds(self.nbytes, bool(scenario.options.get("shared")))
        self.most = max(IN_FLIGHT // max(held, MIN_MESSAGE_BYTES) // self.step, 1) * self.step

    def spec(self, number=0, **changes):
        """Return the Spec of a channel of this scenario, with fields replaced by `changes`."""
        fresh = self.scenario.options.get("fresh")
        most = self.contender.max_bytes if fresh else self.contender.max_bytes_of_one_object
        bound = max(most, 3 * self.nbytes) if self.nbytes >= LARGE else None
        return Spec(
            payload=self.scenario.payload,
            nbytes=self.nbytes,
            senders=self.scenario.senders,
            receivers=self.scenario.receivers,
            max_bytes=bound,
            number=number,
        )._replace(**changes)

    def job(self, **more):
        """Return the parameters of a worker's job."""
        return {"payload": self.scenario.payload, **self.scenario.options, **more}

    def begin(self, seconds):
        """Check the received values, then choose `self.n` so that a run takes about that long. Raises WrongValue."""
        self.check()
        elapsed = self.run(self.n)
        while elapsed < seconds / 8 and self.n < self.most:
            self.grow(seconds / 4 / max(elapsed, 1e-7))
            elapsed = self.run(self.n)
        self.grow(1.2 * seconds / elapsed)

    def grow(self, factor):
        """Multiply the number of messages by a factor, within limits."""
        wanted = int(self.n * min(max(factor, 0.1), 16)) // self.step * self.step
        self.n = min(max(wanted, self.step), self.most)

    def round(self, seconds):
        """Run batches for at least `seconds`; return the value per message."""
        count, total = 0, 0.0
        while total < seconds:
            elapsed = self.run(self.n)
            count += self.n
            total += elapsed
            if elapsed < seconds / 2:
                self.grow(seconds / max(elapsed, 1e-7))
        return total / count

    def check(self):
        """Send some values and compare them at the receiver. Raises WrongValue."""
        raise NotImplementedError

    def run(self, n):
        """Send n messages; return the seconds they took."""
        raise NotImplementedError


def make(scenario, contender, workers):
    """Return the workload that a scenario names."""
    module = importlib.import_module(f"{__name__}.{scenario.workload}")
    return only_subclass(module, Workload)(scenario, contender, workers)
