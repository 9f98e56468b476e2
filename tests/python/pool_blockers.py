"""Tasks that occupy the workers of a pool until the test releases them."""

import pool_tasks as tasks
from support import PATIENCE

import xichan


class Blocker:
    """A task that blocks a worker until ``end()`` is called or a ``with`` block ends."""

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
        self.release.close()  # a task that still runs fails then, so a failing test does not hang


def blockers(pool, number):
    made = [Blocker(pool) for _ in range(number)]
    for blocker in made:
        blocker.wait()
    return made
