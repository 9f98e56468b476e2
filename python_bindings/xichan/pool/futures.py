"""The future of a task.

It is an entry of the crew, as a Batch is: for each of its tasks the crew calls ``over`` and then ``deliver`` or
``fail``, or first ``drop`` and then ``over`` if it was taken back, with no lock held.

1. Most futures are asked by one thread, which takes the answer itself or comes when that is there. So the condition of
   ``concurrent.futures.Future`` is made when somebody first wants it, under ``_lock``. Without it, under ``_lock``, the
   answer is stored and nobody has to be told.
2. What a user calls in the main thread may be interrupted by Ctrl-C anywhere. So it takes no condition by ``with``, see
   locks, and asks ``_state`` without any. ``drop`` can be called again to complete it: it goes from PENDING to
   CANCELLED, tells those who wait, goes to CANCELLED_AND_NOTIFIED, and takes each callback in one step with looking.
"""

import threading
import time
from concurrent.futures import CancelledError, InvalidStateError
from concurrent.futures import Future as _Future
from concurrent.futures._base import CANCELLED, CANCELLED_AND_NOTIFIED, FINISHED, LOGGER, PENDING

from .locks import taking

_lock = threading.Lock()
_CANCELLED = (CANCELLED, CANCELLED_AND_NOTIFIED)
_FIRST = (0,)


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
        error = self.exception(0)
        if error is None:  # it has come just now
            return self._result
        try:
            raise error
        finally:
            self = error = None  # no cycle through the traceback

    def exception(self, timeout=None):
        if self._state == PENDING:
            self._wait(timeout)
        state = self._state
        if state == FINISHED:
            return self._exception
        raise CancelledError if state in _CANCELLED else TimeoutError

    def done(self):
        return self._state != PENDING

    def cancelled(self):
        return self._state in _CANCELLED

    def cancel(self):
        if self._state == PENDING:
            self._crew.take_back(range(self.id, self.id + 1))
        return self.cancelled()

    def running(self):
        taken = self._crew.here.get(self.id)
        if taken is not None:
            return taken
        return self._state == PENDING and self._crew.has_been_taken(self)

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
        if not sleeper.acquire(timeout=left):
            for _ in taking(_lock):
                try:
                    if sleeper in self._sleepers:
                        self._sleepers.remove(sleeper)
                finally:
                    _lock.release()

    def _wake(self):
        for _ in taking(_lock):
            try:
                while self._sleepers:
                    self._sleepers.pop().release()
            finally:
                _lock.release()

    # For the crew

    def drop(self, id):
        """End as cancelled: the task has been taken back. Idempotent. (2)"""
        condition = self._condition
        for _ in taking(condition):
            try:
                if self._state == PENDING:
                    self._state = CANCELLED
                if self._state == CANCELLED:
                    for waiter in self._waiters:
                        waiter.add_cancelled(self)
                    self._state = CANCELLED_AND_NOTIFIED
            finally:
                condition.release()
        self._invoke_callbacks()

    def _invoke_callbacks(self):
        self._wake()  # before what may take long, or raise
        try:
            while self._done_callbacks:
                for callback in map(self._done_callbacks.pop, _FIRST):
                    try:
                        callback(self)
                    except Exception:
                        LOGGER.exception("exception calling callback for %r", self)
        except IndexError:
            pass  # another thread has taken the last

    def accept(self, answer):
        """For Collector.help: end with this answer, if it is a plain value for this future that no one else awaits."""
        if type(answer) is not tuple or len(answer) != 2 or answer[0] != self.id:
            return False
        if self._lazy_condition is not None or self._sleepers:
            return False
        crew = self._crew
        self.over(1)
        self.set_result(answer[1])
        self._wake()
        for entry in map(crew.entries.pop, (self.id,), (None,)):  # last: until then the collector may do it all again
            if entry is not None:
                crew.counts["finished"] += 1
        return True

    def deliver(self, id, value):
        try:
            self.set_result(value)
        except InvalidStateError:
            pass  # by a thread that was interrupted
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
        try:
            self.set_exception(error)
        except InvalidStateError:
            pass  # likewise

    def over(self, number):
        self._call = None
        if self.definition is not None:
            self._crew.release(self)

    def call_of(self, id):
        return self._call

    def message_of(self, id):
        raise LookupError  # it is never in a chunk
