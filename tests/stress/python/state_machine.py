"""Random programs over all flavors, in threads and interpreters that come and go; each channel is accounted for.

The argument is the number of programs. `--minutes M` runs for that time instead, `--seed S` runs one program again. A
program is determined by its seed, but its threads run in any order. support/random_programs.py has the operations and
the model.
"""

import contextlib
import gc
import random
import sys
import time

from common import HERE, assert_released, feed_watchdog, size
from support import Call, alive, interpreter
from support import random_programs as programs
from support.descriptors import open_descriptors

import xichan

RUN = f"import sys; sys.path[:0] = [{HERE!r}]; from support.random_programs import run_job"


class World:
    """The channels and queues of one program. This interpreter keeps endpoints of every channel but the spsc ones."""

    def __init__(self, rng):
        self.channels, self.kept, self.may_discard, self.names = [], [], [], []
        for number in range(rng.randrange(1, 6)):
            options, clonable = programs.random_options(rng)
            name = f"program {rng.getrandbits(64)}" if rng.random() < 0.3 else None
            tx, rx = xichan.channel(**options, name=name)
            self.channels.append((number, tx, rx))
            self.kept.append((tx.clone(), rx.clone()) if clonable else None)
            self.names.append(name)
        self.ids = tuple(tx.id for _, tx, _ in self.channels)
        self.queues = tuple(xichan.Queue(rng.choice((0, 3, 50))) for _ in range(rng.randrange(3)))

    def share(self, rng):
        """Return endpoints for one more actor: those of some channels. Those of an spsc channel are moved."""
        shared = []
        for i, (number, tx, rx) in enumerate(self.channels):
            if tx is None or rng.random() < 0.3:
                continue
            if self.kept[i] is None:
                shared.append((number, tx, rx))
                self.channels[i] = (number, None, None)
            else:
                shared.append((number, tx.clone(), rx.clone()))
        return tuple(shared)


def close_all(value):
    """Close the endpoints in a job, which the other interpreter has received copies of."""
    if isinstance(value, (xichan.Sender, xichan.Receiver)):
        value.close()
    elif type(value) is tuple:
        for item in value:
            close_all(item)


def without_limit(function, *args, **kwargs):
    """Call a function until no memory limit of an actor refuses it."""
    while True:
        try:
            return function(*args, **kwargs)
        except Exception as error:  # CPython refuses endpoints with an error of its own
            if not any(isinstance(each, xichan.MemoryLimitExceeded) for each in (error, error.__cause__)):
                raise
            xichan.set_memory_limit(None)


def run_in_interpreter(job):
    """Run a job in an interpreter of its own, which then ends with what it still holds."""
    jobs, results = xichan.channel(1), xichan.channel(None)
    without_limit(jobs[0].send, job)
    close_all(job)
    with interpreter() as interp:
        without_limit(interp.prepare_main, jobs=jobs[1], results=results[0])
        interp.exec(f"{RUN}; run_job(jobs.recv(), results)")
    return results[1].recv_nowait()


def run_here(job):
    results = xichan.channel(None)
    programs.run_job(job, results[0])
    return results[1].recv_nowait()


def start(rng, job):
    return Call(run_in_interpreter if rng.random() < 0.3 else run_here, job)


def run_program(seed):
    rng = random.Random(seed)
    world, model = World(rng), programs.Model()
    consumers, finite = [], []
    for number, pair in enumerate(world.kept):
        if pair is None:
            continue
        tx, rx = pair
        for k in range(rng.randrange(1, 3)):
            consumers.append(
                start(rng, ("consume", rng.getrandbits(32), f"c{number}.{k}", world.ids, number, rx.clone()))
            )
        for k in range(rng.randrange(3)):
            job = ("produce", rng.getrandbits(32), f"p{number}.{k}", world.ids, number, tx.clone(), rng.randrange(100))
            finite.append(start(rng, job))
    for k in range(rng.randrange(1, 5)):
        steps = rng.choice((10, 100, 400))
        ends = world.share(rng)
        job = ("act", rng.getrandbits(32), f"a{k}", world.ids, tuple(world.names), ends, world.queues, steps)
        finite.append(start(rng, job))
    world.channels.clear()
    discarded = [pair is None for pair in world.kept]
    if rng.random() < 0.3:  # in the middle of the traffic
        number = rng.randrange(len(world.kept))
        if world.kept[number] is not None:
            time.sleep(rng.uniform(0, 0.02))
            immediate = rng.random() < 0.5
            discarded[number] = immediate
            world.kept[number][0].shutdown(immediate)
    for call in finite:
        model.add(call.result(120))
    for pair in world.kept:
        if pair is not None:
            pair[0].shutdown()  # endpoints in messages may keep the channel open
    for call in consumers:
        model.add(call.result(120))
    check(world, model, discarded)


def shut_down(channel_id):
    """Shut down a channel that exists only because its endpoints are queued in it; return its statistics or None."""
    for kind in (xichan.Sender, xichan.Receiver):
        with contextlib.suppress(xichan.NotFound):
            with kind.from_id(channel_id) as end:
                end.shutdown(immediate=True)
                return end.stats()


def check(world, model, discarded):
    xichan.set_memory_limit(None)
    gc.collect()
    for number, pair in enumerate(world.kept):
        if pair is None:
            stats = shut_down(world.ids[number])
        else:
            model.add(programs.consume(0, "main", world.ids, number, pair[1].clone()))
            stats = pair[1].stats()
        model.check_channel(number, stats, discarded[number])
    for number, queue in enumerate(world.queues):
        left = [queue.get_nowait() for _ in range(queue.qsize())]
        assert queue.unfinished_tasks == len(left)
        model.check_queue(number, left)
        for _ in left:
            queue.task_done()
        queue.join()


def option(name):
    """Remove an option and its value from the command line; return the value or None."""
    if name not in sys.argv:
        return None
    at = sys.argv.index(name)
    value = sys.argv[at + 1]
    del sys.argv[at : at + 2]
    return value


def main():
    minutes, seed = option("--minutes"), option("--seed")
    number = size()
    end = None if minutes is None else time.monotonic() + 60 * float(minutes)
    first = random.SystemRandom().getrandbits(48) if seed is None else int(seed)
    before, descriptors = alive(), len(open_descriptors())
    done = 0
    print(f"state_machine: first seed {first}", flush=True)
    while (time.monotonic() < end if end is not None else done < number) and (seed is None or done == 0):
        try:
            run_program(first + done)
            gc.collect()
            assert_released(before)
            assert len(open_descriptors()) == descriptors, open_descriptors()
        except BaseException:
            print(f"failed: state_machine.py --seed {first + done}", file=sys.stderr, flush=True)
            raise
        done += 1
        feed_watchdog()
    print(f"state_machine: {done} programs")


if __name__ == "__main__":
    main()
