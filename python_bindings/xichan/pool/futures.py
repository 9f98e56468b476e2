"""The future of a task.

It is an entry of the crew, as a Batch is: for each of its tasks the crew calls ``over``, and then ``deliver`` or
``fail`` unless it was taken back, with no lock held.

1. Most futures are asked by one thread, which takes the answer itself or comes when that is there. So the condition of
   ``concurrent.futures.Future`` is made when somebody first wants it, under ``_lock``. Without it, under ``_lock``, the
   answer is stored and nobody has to be told.
"""

import threading
import time
from concurrent.futures import Future as _Future
from concurrent.futures import InvalidStateError
from concurrent.futures._base import FINISHED, PENDING

from .locks import taking

_lock = threading.Lock()


class Future(_Future):
    """The future of a task. Its task can be cancelled until a worker takes it."""

    def __init__(self, crew, policy=None, call=None):
        # Not that of the base, which makes the condition.
        self._state = PENDING
        self._result = self._exception = self._lazy_condition = None
        self._waiters, self._done_callbacks = [], []
        self._sleepers = []  # locks, each held until the future is over
        self._crew = crew
        self.id = None  # of the task
        self.place = 0  # of the task among all that was sent to the workers
        self.definition = None  # of its function
        self.policy = policy
        self._call = call  # (function, args, kwargs), if there is a policy that may have to run it here
        self.elsewhere = None  # the future there, if it is run here

    @property
    def _condition(self):
        condition = self._lazy_condition
        if condition is None:
            made = threading.Condition()
            for _ in taking(_lock):
                try:
                    condition = self._lazy_condition = self._lazy_condition or made  # (1)
                finally:
                    _lock.release()
        return condition

    # For users

    def result(self, timeout=None):
        if self._state == PENDING:
            self._wait(timeout)
        if self._state == FINISHED and self._exception is None:
            return self._result
        return super().result(0)

    def exception(self, timeout=None):
        if self._state == PENDING:
            self._wait(timeout)
        return super().exception(0)

    def cancel(self):
        if self.done():
            return self.cancelled()
        if self.elsewhere is not None:
            return self.elsewhere.cancel()  # which drops this one
        return self._crew.take_back(self) and self.drop(self.id)

    def running(self):
        if self.elsewhere is not None:
            return self.elsewhere.running()
        return not self.done() and self._crew.has_been_taken(self)

    def _wait(self, timeout):
        """Take part in the work of the crew, and then sleep. Not in the condition: Ctrl-C may leave that locked (see
        locks), and then whoever brings the answer would wait for it."""
        deadline = None if timeout is None else time.monotonic() + timeout
        self._crew.help(self, timeout)
        for _ in taking(_lock):
            try:
                if self._state != PENDING:
                    return
                sleeper = threading.Lock()
                sleeper.acquire()
                self._sleepers.append(sleeper)
            finally:
                _lock.release()
        left = -1 if deadline is None else min(max(deadline - time.monotonic(), 0), threading.TIMEOUT_MAX)
        sleeper.acquire(timeout=left)

    def _wake(self):
        for _ in taking(_lock):
            try:
                while self._sleepers:
                    self._sleepers.pop().release()
            finally:
                _lock.release()

    # For the crew

    def drop(self, id):
        """End as cancelled; the task has been taken back."""
        super().cancel()
        self.set_running_or_notify_cancel()  # tells those who wait
        self._wake()
        return True

    def accept(self, answer):
        """For Collector.help: end with this answer, if it is a plain value for this future that no one else awaits."""
        if type(answer) is not tuple or len(answer) != 2 or answer[0] != self.id:
            return False
        if self._waiters or self._done_callbacks or self._sleepers:
            return False
        crew = self._crew
        self.over(1)
        self.set_result(answer[1])
        crew.counts["finished"] += crew.entries.pop(self.id, None) is not None
        self._wake()
        return True

    def deliver(self, id, value):
        try:
            self.set_result(value)
        except InvalidStateError:  # begun by a thread that was interrupted
            with self._condition:
                self._condition.notify_all()
        self._wake()

    def set_result(self, result):
        for _ in taking(_lock):
            try:
                if self._lazy_condition is None and self._state == PENDING:  # (1)
                    self._result = result
                    self._state = FINISHED
                    return
            finally:
                _lock.release()
        super().set_result(result)

    def fail(self, id, error):
        self.set_exception(error)
        self._wake()

    def over(self, number):
        self._call = None
        if self.definition is not None:
            self._crew.release(self)

    def call_of(self, id):
        return self._call

    def message_of(self, id):
        raise LookupError  # it is never in a chunk
