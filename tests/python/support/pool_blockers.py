"""Tasks that occupy the workers of a pool until they are released."""

import xichan
from support import PATIENCE
from support import pool_tasks as tasks


class Blocker:
    """A task that runs in a worker until it is released: `end`, or the end of a ``with``."""

    def __init__(self, pool):
        self.started, theirs = xichan.channel(4)[::-1]
        release, self.release = xichan.channel(4)[::-1]
        self.future = pool.submit(tasks.block, theirs, release)
        theirs.close()
        release.close()

    def wait(self):
        return self.started.recv(PATIENCE)

    def end(self, value=None):
        self.release.send(value)
        assert self.future.result(PATIENCE) == value

    def __enter__(self):
        self.wait()
        return self

    def __exit__(self, *_):
        self.release.close()  # a task that runs still fails then, so a test that fails does not hang


def blockers(pool, number):
    made = [Blocker(pool) for _ in range(number)]
    for blocker in made:
        blocker.wait()
    return made
