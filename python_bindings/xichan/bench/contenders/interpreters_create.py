"""interpreters.create() alone: what a new worker cannot do without. Its tasks run in the calling thread."""

from concurrent.futures import Executor, Future

from xichan.bench.contenders._pool import PoolContender


class InterpretersCreate(PoolContender):
    name = "interpreters-create"
    title = "interpreters.create() alone"
    module = "concurrent.interpreters"
    class_name = "create"
    variant = "bare"

    def pool(self, workers):
        return CreatingExecutor()


class CreatingExecutor(Executor):
    """Creates an interpreter for each task, and runs the task in this one."""

    def __init__(self):
        self.created = []

    def submit(self, fn, /, *args, **kwargs):
        from concurrent import interpreters

        self.created.append(interpreters.create())
        future = Future()
        future.set_result(fn(*args, **kwargs))
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        while self.created:
            self.created.pop().close()
