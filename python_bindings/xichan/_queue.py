"""``xichan.Queue``: the interface of ``queue.Queue`` over channels, for every interpreter.

The ``_parts`` of a queue are both endpoints of each of these channels. No handle ever closes them:

* *items*: the items;
* *count*, of capacity 1: one int, the number of tasks done. A thread that takes it out has exclusive access until it
  puts it back, so the channel is also the lock of everything that concerns tasks;
* *joiners*: for each blocked ``join``, the only Sender of a channel of its own. Dropping it wakes that call;
* *pickled*, if the queue pickles: always empty. The number of values ever sent through it is the number of items
  pickled.

``put`` and ``get`` use *items* alone and take no lock. The number of unfinished tasks is the number of items ever put,
which *items* counts, minus the tasks done:

1. A put is counted by the step that claims its slot, before any thread can get the item: a thread that has got an item
   finds it counted. A put that fails is never counted, and nothing decreases the count.
2. The tasks done change only under the lock and never exceed the items put, because ``task_done`` checks before it
   counts. So the number of unfinished tasks decreases only under the lock.
3. A joiner checks the number, and leaves its Sender, under the lock. The call that then brings the number to zero, also
   under the lock, finds that Sender. A put in between only increases the number, and the task of that put ends later.
4. Joiners are woken before the task is counted, both under the lock; a woken joiner takes the lock and checks again. So
   an exception between the two (Ctrl-C) causes a spurious wake-up, never a joiner that stays blocked with no unfinished
   task.
5. A joiner that is interrupted drops its Receiver. Its Sender wakes no thread and is dropped with the next wake-up.
6. ``shutdown(immediate=True)`` first closes *items* to puts, then takes all items under the lock and counts each as
   done: every put was refused or is among them. A concurrent get may take an item instead; its task stays unfinished.

The lock is acquired by a ``for`` and released in a ``finally``. CPython runs signal handlers after calls and at
backward jumps, hence neither between the step of a ``for`` and the ``try`` that follows it, nor before the call that
puts the count back. That call finds the one slot free, and an int needs no memory. So the count cannot get lost.
"""

from __future__ import annotations

import operator
import types

from . import _core
from ._errors import ChannelClosed, ChannelEmpty, ChannelFailed, ChannelFull, ChannelTimeout, NotShareableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Generic, TypeVar

    from ._stats import QueueStats

    _T = TypeVar("_T")
else:  # typing takes longer to import than the rest of xichan

    class Generic:
        __slots__ = ()
        __class_getitem__ = classmethod(types.GenericAlias)

    _T = None

# Indexes in `_parts`; the Senders have the even ones.
_ITEMS_TX, _ITEMS_RX, _COUNT_TX, _COUNT_RX, _JOINERS_TX, _JOINERS_RX, _PICKLED_TX, _PICKLED_RX = range(8)


def _errors() -> ModuleType:
    from . import _queue_errors

    return _queue_errors


def _pickling() -> ModuleType:
    from . import _pickling

    return _pickling


class Queue(Generic[_T]):
    """A first-in, first-out queue for the threads of all interpreters, with the interface of ``queue.Queue``.

    maxsize: the maximum number of items, up to 2**24; 0 or less: unbounded. Ctrl-C interrupts every blocked call.

    Items are what channels accept: str, bytes, int, float, bool, None, endpoints, queues, and tuples of these; anything
    else raises NotShareableError. With ``pickle=True`` such an item is pickled instead, as a whole. Pickling takes
    time, requires that the receiving interpreter can import the item's classes, and is counted in ``stats().pickled``.

    A Queue can be transferred to other interpreters as endpoints can: in messages, through ``concurrent.interpreters``,
    or pickled within this process. What arrives is the same queue and equal to this one. A Queue also works where a
    ``concurrent.interpreters.Queue`` is expected: ``unbounditems`` and ``syncobj`` are accepted for that, and ignored,
    because items outlive the interpreter that put them.

    The exceptions are ``queue.Empty``, ``queue.Full`` and ``queue.ShutDown``. They are also ChannelEmpty, ChannelFull
    and ChannelClosed, and the first two are QueueEmpty and QueueFull of ``concurrent.interpreters``.
    """

    __slots__ = ("__weakref__", "_parts")  # nothing else: transferred queues are created without running Python code
    __module__ = "xichan"
    _parts: tuple[Any, ...]

    def __init__(
        self, maxsize: int = 0, *, pickle: bool = False, unbounditems: object = None, syncobj: object = None
    ) -> None:
        if isinstance(maxsize, bool):
            raise TypeError("maxsize must be an int, not bool")
        maxsize = operator.index(maxsize)
        if maxsize > 2**24:
            raise ValueError(f"maxsize must be at most 2**24, got {maxsize}; 0 makes an unbounded queue")
        channel = _core.channel
        parts: tuple[Any, ...] = (*channel(maxsize if maxsize > 0 else None), *channel(1), *channel(None))
        if pickle:
            parts += channel(None)
        parts[_COUNT_TX].send_nowait(0)
        self._parts = parts

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
            if len(parts) > _PICKLED_TX:
                _put_or_pickle(parts, item, block, timeout)
            elif block:
                parts[_ITEMS_TX].send(item, timeout)
            else:
                parts[_ITEMS_TX].send_nowait(item)
        except (ChannelFull, ChannelTimeout):
            raise _errors().QueueFull("the queue is full") from None
        except ChannelClosed as error:
            if not parts[_ITEMS_TX].closed:
                raise  # an endpoint in the item is closed, or the interpreter is shutting down
            raise _errors().shut_down(error) from error.__cause__

    def get(self, block: bool = True, timeout: float | None = None) -> _T:
        """Take the oldest item out of the queue; block while it is empty.

        block, timeout: as for ``put()``.

        Raises Empty, or ShutDown if the queue is shut down and empty.
        """
        parts = self._parts
        try:
            item = parts[_ITEMS_RX].recv(timeout) if block else parts[_ITEMS_RX].recv_nowait()
        except (ChannelEmpty, ChannelTimeout):
            raise _errors().QueueEmpty("the queue is empty") from None
        except ChannelClosed as error:
            raise _errors().shut_down(error) from error.__cause__
        if type(item) is tuple and len(parts) > _PICKLED_TX:
            item = item[0] if len(item) == 1 else _pickling().loads(*item)
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
        parts = self._parts
        for done in parts[_COUNT_RX]:
            try:
                put = _core._sent(parts[_ITEMS_TX])
                if done >= put:
                    raise ValueError("task_done() called too many times")
                if done + 1 == put:
                    parts[_JOINERS_RX].drain()  # dropping the Senders wakes the joiners
                done += 1
            finally:
                parts[_COUNT_TX].send_nowait(done)
            break

    def join(self) -> None:
        """Block until ``task_done()`` has been called for every item that was put."""
        parts = self._parts
        while True:
            wake_tx, wake_rx = _core.channel(1)
            for done in parts[_COUNT_RX]:
                try:
                    if done >= _core._sent(parts[_ITEMS_TX]):
                        return
                    parts[_JOINERS_TX].send_nowait(wake_tx)
                finally:
                    parts[_COUNT_TX].send_nowait(done)
                break
            wake_tx.close()
            for _ in wake_rx:
                pass

    def shutdown(self, immediate: bool = False, *, error: BaseException | None = None) -> None:
        """Close the queue for every handle, in every interpreter, and wake all blocked calls.

        From then on ``put()`` raises ShutDown, and so does ``get()`` once the queue is empty.

        immediate: True also discards the queued items and marks their tasks as done; ``join()`` waits for the others.
        error: an exception; ShutDown is then also ChannelFailed, with the exception as its cause.
        """
        parts = self._parts
        parts[_ITEMS_TX].shutdown(error=error)
        if not immediate:
            return
        for done in parts[_COUNT_RX]:
            try:
                parts[_JOINERS_RX].drain()  # dropping the Senders wakes the joiners
                for _ in parts[_ITEMS_RX]:
                    done += 1
            except ChannelFailed:
                pass  # the queue is empty
            finally:
                parts[_COUNT_TX].send_nowait(done)
            break

    @property
    def maxsize(self) -> int:
        """int: the maximum number of items; 0: unbounded."""
        return self._parts[_ITEMS_RX].capacity or 0

    @property
    def is_shutdown(self) -> bool:
        """bool: True once the queue has been shut down; it may still hold items."""
        return self._parts[_ITEMS_TX].closed

    @property
    def unfinished_tasks(self) -> int:
        """int: the number of items put for which ``task_done()`` has not been called."""
        done = self._tasks_done()
        return _core._sent(self._parts[_ITEMS_TX]) - done

    @property
    def id(self) -> int:
        """int: the same for all handles of the queue, and different from that of any other queue."""
        return self._parts[_ITEMS_TX].id

    def stats(self) -> QueueStats:
        """Return the statistics of the queue: those of the channel that holds its items, and three more."""
        from ._stats import queue_stats

        parts = self._parts
        done = self._tasks_done()
        items = parts[_ITEMS_TX].stats()
        pickled = _core._sent(parts[_PICKLED_TX]) if len(parts) > _PICKLED_TX else 0
        return queue_stats(items, items.sent - done, len(parts[_JOINERS_RX]), pickled)

    def _tasks_done(self) -> int:
        """Return the count, read before the items put, which it therefore does not exceed."""
        parts = self._parts
        for done in parts[_COUNT_RX]:
            parts[_COUNT_TX].send_nowait(done)
            break
        return done

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, Queue) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        bound = f" of {self.maxsize}" if self.maxsize else ""
        return f"<xichan.Queue {self.qsize()}{bound}{' shut down' if self.is_shutdown else ''}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._parts)


if not TYPE_CHECKING:
    del _T


def _rebuild(cls: type[Queue[Any]], parts: tuple[Any, ...]) -> Queue[Any]:
    self = cls.__new__(cls)
    self._parts = parts
    return self


def _put_or_pickle(parts: tuple[Any, ...], item: object, block: bool, timeout: float | None) -> None:
    """Send an item, pickled if it is not shareable.

    To be told apart, a tuple is sent in a tuple of one element, a pickle in a tuple of two.
    """

    def send(value: object) -> None:
        parts[_ITEMS_TX].send(value, timeout) if block else parts[_ITEMS_TX].send_nowait(value)

    try:
        return send((item,) if type(item) is tuple else item)
    except NotShareableError:
        pass
    send(_pickling().dumps(item))
    parts[_PICKLED_TX].send_nowait(None)
    parts[_PICKLED_RX].drain()


_core._register_queue(Queue)
