"""Tasks that occupy the workers of a pool until the test releases them."""

import xichan
from support import PATIENCE
from support import pool_tasks as tasks


class Blocker:
    """A task that occupies a worker until `end()` or the end of the ``with`` block."""

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
        self.release.close()  # a running task then fails, so that a failing test does not hang


def blockers(pool, number):
    """Occupy workers with tasks; return the Blockers once all run."""
    made = [Blocker(pool) for _ in range(number)]
    for blocker in made:
        blocker.wait()
    return made
