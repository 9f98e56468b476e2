"""The tasks of one ``map``: one entry of the crew in the place of many futures."""

import threading
import time
from concurrent.futures import CancelledError

from .locks import taking

_MISSING = object()


class _Raised:
    __slots__ = ("error",)

    def __init__(self, error):
        self.error = error


class Batch:
    """Tasks whose ids follow one another from ``first``; their answers are for one thread, which takes them in order.

    items: of each task (args, kwargs) as they are sent. calls: (function, args of each), if there is a policy that may
    have to run them here.

    1. ``deliver`` stores the answer and then reads ``_wanted``; ``_wait`` stores ``_wanted`` and then looks for the
       answer. Both under one GIL: so one of them sees.
    """

    def __init__(self, crew, function, items, policy=None, calls=None):
        self.first = None
        self.function = function  # described, see Crew.submit
        self.definition = None
        self.policy = policy
        self._crew = crew
        self._items = items
        self._calls = calls
        self._answers = [_MISSING] * len(items)  # a value, or a _Raised
        self._left = len(items)
        self._lock = threading.Lock()
        self._wanted = None  # the place of the answer that a thread waits for
        self._there = threading.Lock()  # held until that is there
        self._there.acquire()

    def __len__(self):
        return len(self._answers)

    def messages(self, function, places, chunksize):
        """The tasks at these places. Neighbours that need nothing beside them go in chunks."""
        items, first = self._items, self.first
        if chunksize == 1:
            return [(first + place, function, *items[place]) for place in places]
        made, chunk = [], []
        for place in (*places, None):
            alone = place is not None and items[place][1]
            if chunk and (place is None or alone or place != chunk[-1] + 1 or len(chunk) == chunksize):
                made.append((first + chunk[0], function, tuple(items[each][0] for each in chunk), len(chunk)))
                chunk = []
            if alone:
                made.append((first + place, function, *items[place]))
            elif place is not None:
                chunk.append(place)
        return made

    # For the crew

    def over(self, number):
        self._left -= number
        if self._left == 0:
            self._items = self._calls = None
            self._crew.release(self)

    def deliver(self, id, value):
        place = id - self.first
        self._answers[place] = value
        if self._wanted == place:  # (1)
            with self._lock:
                if self._wanted == place:
                    self._wanted = None
                    self._there.release()

    def fail(self, id, error):
        self.deliver(id, _Raised(error))

    def drop(self, id):
        self.fail(id, CancelledError())

    def message_of(self, id):
        function = self.function if self.definition is None else self.definition.number
        return (id, function, *self._items[id - self.first])

    def call_of(self, id):
        function, args = self._calls
        return function, args[id - self.first], {}

    # For the one who called map

    def results(self, deadline):
        """Yield the answers in order, raising what a task raised, or TimeoutError after ``deadline``."""
        crew, first, number = self._crew, self.first, len(self)
        place = 0
        try:
            while place < number:
                place += 1
                yield self._take(place - 1, deadline)
        finally:
            if place < number or self._left:
                crew.take_back(range(first + place, first + number))

    def _take(self, place, deadline):
        answer = self._answers[place]
        if answer is _MISSING:
            answer = self._wait(place, deadline)
        self._answers[place] = None
        if type(answer) is _Raised:
            try:
                raise answer.error
            finally:
                answer = self = None  # no cycle through the traceback
        return answer

    def _wait(self, place, deadline):
        timeout = -1
        if deadline is not None:
            timeout = min(max(deadline - time.monotonic(), 0), threading.TIMEOUT_MAX)
        self._wanted = place
        try:
            if self._answers[place] is _MISSING:
                self._there.acquire(timeout=timeout)
        finally:
            for _ in taking(self._lock):
                try:
                    if self._wanted is None:
                        self._there.acquire(blocking=False)  # if the one who released it was not waited for
                    self._wanted = None
                finally:
                    self._lock.release()
        if self._answers[place] is _MISSING:
            raise TimeoutError
        return self._answers[place]
