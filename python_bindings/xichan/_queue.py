"""``xichan.Queue``: the interface of ``queue.Queue`` over channels, for every interpreter.

The ``_parts`` of a queue are both endpoints of each of these channels, and ``maxsize``. No handle ever closes them:

* *items*: the items. This channel also counts the tasks done, and pickles if the queue does;
* *joiners*: for each blocked ``join``, the only Sender of a channel of its own. Dropping it wakes that call.

``put`` and ``get`` use *items* alone. The number of unfinished tasks is the number of items ever put, which *items*
counts, minus the tasks done:

1. A put is counted by the step that claims its slot, before any thread can get the item: a thread that has got an item
   finds it counted. A put that fails is never counted, and nothing decreases the count.
2. The tasks done never exceed the items put: ``task_done`` compares and counts in one atomic step.
3. A joiner leaves its Sender, then looks at the number. The call that brings the number to zero counts, then looks for
   Senders. So one of the two sees the other: no joiner stays blocked with no unfinished task.
4. A put in between only increases the number, and the task of that put ends later. A joiner that was woken too early
   checks again.
5. A joiner that is interrupted drops its Receiver. Its Sender wakes no thread and is dropped with the next wake-up.
6. ``shutdown(immediate=True)`` first closes *items* to puts, then takes all items and counts each as done: every put
   was refused or is among them. A concurrent get may take an item instead; its task stays unfinished.

The queue has no lock. Steps that belong together are one call of ``_core``, in which no Python code runs. So a signal
handler, ``__del__`` or a weakref callback that uses the queue finds the call that it interrupts finished or not begun,
and waits for nothing that this call holds.
"""

from __future__ import annotations

import types
from _operator import index  # the import of operator takes long

from . import _core
from ._errors import ChannelClosed, ChannelEmpty, ChannelFailed, ChannelFull, ChannelTimeout, Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from builtins import type as _Type
    from typing import Any, Generic, Never, TypeVar

    from ._stats import QueueStats

    _T = TypeVar("_T")
else:  # typing takes longer to import than the rest of xichan

    class Generic:
        __slots__ = ()
        __class_getitem__ = classmethod(types.GenericAlias)

    _T = None

# Indexes in `_parts`, as in `QueuePart` of values/elements.h.
_ITEMS_TX, _ITEMS_RX, _JOINERS_TX, _JOINERS_RX, _MAXSIZE = range(5)


def _error(name: str, base: type[Error], message: str) -> Error:
    """Return an exception of _queue_errors, or its base class in code that interrupts the import of that module."""
    try:
        from . import _queue_errors

        kind: type[Error] = getattr(_queue_errors, name)
    except (ImportError, AttributeError):
        kind = base
    return kind(message)


def _shut_down(error: ChannelClosed) -> Error:
    """Return what a call raises on a queue whose channel is closed."""
    failed = isinstance(error, ChannelFailed)
    return _error(*("QueueFailed", ChannelFailed) if failed else ("QueueShutDown", ChannelClosed), str(error))


class Queue(Generic[_T]):
    """A first-in, first-out queue for the threads of all interpreters, with the interface of ``queue.Queue``.

    maxsize: the maximum number of items, up to 2**24; 0 or less: unbounded. Ctrl-C interrupts every blocked call.
    Signal handlers, ``__del__`` and weakref callbacks may use the queue, also when they interrupt a call of it.

    Items are what channels accept; anything else raises NotShareableError. With ``pickle=True`` such an item is pickled
    instead, as a whole. Pickling takes time, requires that the receiving interpreter can import the item's classes, and
    is counted in ``stats().pickled``. ``type``: as for ``channel()``, checked by ``put()`` in this interpreter.

    A Queue can be transferred to other interpreters as endpoints can: in messages, through ``concurrent.interpreters``,
    or pickled within this process. What arrives is the same queue and equal to this one. An instance of a subclass
    arrives as a Queue, without what the subclass adds; pickle keeps the subclass. A Queue also works where a
    ``concurrent.interpreters.Queue`` is expected: ``unbounditems`` and ``syncobj`` are accepted for that, and ignored,
    because items outlive the interpreter that put them.

    The exceptions are ``queue.Empty``, ``queue.Full`` and ``queue.ShutDown``. They are also ChannelEmpty, ChannelFull
    and ChannelClosed (ChannelFailed after a shutdown with an error), and the first two are QueueEmpty and QueueFull of
    ``concurrent.interpreters``.
    """

    __slots__ = ("__weakref__", "_parts")  # nothing else: transferred queues are created without running Python code
    __module__ = "xichan"
    _parts: tuple[Any, ...]

    def __init__(
        self,
        maxsize: int = 0,
        *,
        pickle: bool = False,
        type: _Type[_T] | tuple[Any, ...] | types.UnionType | None = None,
        unbounditems: object = None,
        syncobj: object = None,
        **unknown: Never,
    ) -> None:
        if unknown:
            from ._hints import unexpected_queue_keyword

            raise unexpected_queue_keyword(Queue.__init__, unknown)
        if isinstance(maxsize, bool):
            raise TypeError("maxsize must be an int, not bool")
        maxsize = index(maxsize)
        if maxsize > 2**24:
            raise ValueError(f"maxsize must be at most 2**24, got {maxsize}; 0 makes an unbounded queue")
        items = _core._queue_channel(maxsize if maxsize > 0 else None, pickle, type)
        self._parts = (*items, *_core._own_channel("Queue joiners", None, items[0]), maxsize)

    if not TYPE_CHECKING:  # type checkers would accept every name

        def __getattr__(self, name):
            from ._hints import missing_queue_name

            raise missing_queue_name(self, name)

    def put(
        self,
        item: _T,
        block: bool = True,
        timeout: float | None = None,
        *,
        unbounditems: object = None,
        syncobj: object = None,
    ) -> None:
        """Put an item into the queue; block while it is full.

        block: False raises Full instead of blocking.
        timeout: seconds (int or float, not negative); None blocks indefinitely. Ignored if ``block`` is false.

        Raises Full, ShutDown, NotShareableError or MemoryLimitExceeded; after an exception, nothing has been put.
        """
        parts = self._parts
        try:
            if block:
                parts[_ITEMS_TX].send(item, timeout)
            else:
                parts[_ITEMS_TX].send_nowait(item)
        except (ChannelFull, ChannelTimeout):
            raise _error("QueueFull", ChannelFull, "the queue is full") from None
        except ChannelClosed as error:
            if not parts[_ITEMS_TX].closed:
                raise  # an endpoint in the item is closed, or the interpreter is shutting down
            raise _shut_down(error) from error.__cause__

    def get(self, block: bool = True, timeout: float | None = None) -> _T:
        """Take the oldest item out of the queue; block while it is empty.

        block, timeout: as for ``put()``.

        Raises Empty, or ShutDown if the queue is shut down and empty.
        """
        parts = self._parts
        try:
            item: _T = parts[_ITEMS_RX].recv(timeout) if block else parts[_ITEMS_RX].recv_nowait()
        except (ChannelEmpty, ChannelTimeout):
            raise _error("QueueEmpty", ChannelEmpty, "the queue is empty") from None
        except ChannelClosed as error:
            raise _shut_down(error) from error.__cause__
        return item

    def put_nowait(self, item: _T, *, unbounditems: object = None, syncobj: object = None) -> None:
        """Put an item into the queue without blocking, or raise Full."""
        self.put(item, False)

    def get_nowait(self) -> _T:
        """Take the oldest item without blocking, or raise Empty."""
        return self.get(False)

    def qsize(self) -> int:
        """Return the number of items queued now."""
        return len(self._parts[_ITEMS_RX])

    def empty(self) -> bool:
        """Return True if no item is queued now."""
        return not len(self._parts[_ITEMS_RX])

    def full(self) -> bool:
        """Return True if ``maxsize`` items are queued now."""
        return 0 < self.maxsize <= len(self._parts[_ITEMS_RX])

    def task_done(self) -> None:
        """Mark the task of one item as done.

        Raises ValueError if all items that were put are already done.
        """
        _core._task_done(self._parts)

    def join(self) -> None:
        """Block until ``task_done()`` has been called for every item that was put."""
        while self.unfinished_tasks:
            wake_tx, wake_rx = _core._own_channel("Queue.join", 1, self._parts[_ITEMS_TX])
            blocks = _core._add_joiner(self._parts, wake_tx)
            wake_tx.close()
            if blocks:
                for _ in wake_rx:
                    pass

    def shutdown(self, immediate: bool = False, *, error: BaseException | None = None) -> None:
        """Close the queue for every handle, in every interpreter, and wake all blocked calls.

        From then on ``put()`` raises ShutDown, and so does ``get()`` once the queue is empty.

        immediate: True also discards the queued items and marks their tasks as done; ``join()`` waits for the others.
        error: an exception; ShutDown is then also ChannelFailed and has this exception as its cause.
        """
        self._parts[_ITEMS_TX].shutdown(error=error)
        if immediate:
            _core._discard_tasks(self._parts)

    @property
    def maxsize(self) -> int:
        """int: the maximum number of items, as passed to Queue(); 0 or less: unbounded."""
        maxsize: int = self._parts[_MAXSIZE]
        return maxsize

    @property
    def is_shutdown(self) -> bool:
        """bool: True once the queue has been shut down; it may still hold items."""
        return self._parts[_ITEMS_TX].closed

    @property
    def unfinished_tasks(self) -> int:
        """int: the number of items put for which ``task_done()`` has not been called."""
        parts = self._parts
        done = _core._tasks_done(parts)  # before the items put, which they do not exceed
        return _core._sent(parts[_ITEMS_TX]) - done

    @property
    def id(self) -> int:
        """int: the same for all handles of the queue, and different from that of any other queue."""
        return self._parts[_ITEMS_TX].id

    def stats(self) -> QueueStats:
        """Return the statistics of the queue: those of the channel that holds its items, and two more."""
        from ._stats import queue_stats

        parts = self._parts
        done = _core._tasks_done(parts)
        items = parts[_ITEMS_TX].stats()
        return queue_stats(items, items.sent - done, len(parts[_JOINERS_RX]))

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, Queue) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        bound = f" of {self.maxsize}" if self.maxsize > 0 else ""
        return f"<xichan.Queue {self.qsize()}{bound}{' shut down' if self.is_shutdown else ''}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._parts), self.__getstate__()

    def __getstate__(self) -> object:
        """Return the attributes that a subclass adds, or None."""
        if type(self) is Queue:
            return None
        state: Any = object.__getstate__(self)
        fields, slots = state
        slots.pop("_parts", None)
        return (fields, slots) if fields or slots else None


if not TYPE_CHECKING:
    del _T


def _rebuild(cls: type[Queue[Any]], parts: tuple[Any, ...]) -> Queue[Any]:
    self = Queue.__new__(cls)
    self._parts = parts
    return self


_core._register_queue(Queue)
