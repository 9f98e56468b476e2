"""``xichan.Queue``: the interface of ``queue.Queue`` over channels, for every interpreter.

The ``_parts`` of a queue are the two ends of each of these channels, which no handle ever closes:

* the *items*;
* the *count*, of capacity 1. It holds one int: how many tasks are done. Whoever takes it out has it alone until it is
  put back, so it is also the lock of all that concerns tasks;
* the *joiners*: of each sleeping ``join`` the only Sender of a channel of its own. To drop that is to wake the sleeper;
* *pickled*, if the queue pickles: always empty. What was ever sent through it is the number of items pickled.

``put`` and ``get`` touch the items alone and wait for no lock. Unfinished are the items ever put, which the channel of
the items counts, less the tasks done:

1. A put is counted by the step that claims its place, so before anybody can get the item: whoever has got it finds it
   counted. A put that fails is never counted, and nothing takes one away.
2. Tasks done change only under the lock and never pass the items put, because ``task_done`` looks before it counts. So
   what is unfinished falls only under the lock.
3. A joiner looks, and leaves its Sender, under the lock. Whoever then brings what is unfinished to zero, also under the
   lock, finds that Sender. A put in between only makes more unfinished, and then the task of that put comes after.
4. Waking comes before counting, both under the lock; a joiner that was woken takes the lock and looks again. So an
   exception between the two (Ctrl-C) wakes somebody for nothing, and leaves nobody asleep when nothing is unfinished.
5. A joiner that is interrupted drops its Receiver. Its Sender wakes nobody, and goes with the next waking.
6. ``shutdown(immediate=True)`` first closes the items to puts, then takes all of them under the lock, each counted as
   done: every put was refused or is among them. A get meanwhile may take one instead, and its task stays unfinished.

The lock is taken by a ``for`` and given back in a ``finally``. CPython runs signal handlers after calls and at jumps
backward, hence neither between the step of a ``for`` and the ``try`` behind it, nor before the call that puts the count
back. That call finds the one slot free, and an int needs no memory. So the count cannot get lost.
"""

import functools
import operator
import types

from . import _core
from ._errors import ChannelClosed, ChannelEmpty, ChannelFull, ChannelTimeout, NotShareableError

# Places in `_parts`; the even ones are Senders.
_ITEMS_TX, _ITEMS_RX, _COUNT_TX, _COUNT_RX, _JOINERS_TX, _JOINERS_RX, _PICKLED_TX, _PICKLED_RX = range(8)


@functools.cache
def _errors():
    from . import _queue_errors

    return _queue_errors


@functools.cache
def _pickling():
    from . import _pickling

    return _pickling


class Queue:
    """First in, first out, between the threads of all interpreters: the interface of ``queue.Queue``.

    maxsize: how many items it holds at the most, up to 2**24; 0 or less: any number. Ctrl-C interrupts all that waits.

    Items are what channels take: str, bytes, int, float, bool, None, ends, queues, and tuples of these; anything else
    raises NotShareableError. With ``pickle=True`` it is pickled instead, as a whole. That costs time, needs its classes
    to be importable in the interpreter that gets it, and is counted in ``stats()["pickled"]``.

    A Queue can be handed to other interpreters as ends can: in messages, through ``concurrent.interpreters``, or
    pickled within this process. What arrives is the same queue, equal to this one. It serves where a
    ``concurrent.interpreters.Queue`` is expected; for that ``unbounditems`` and ``syncobj`` are accepted, and ignored:
    items outlive the interpreter that put them.

    The errors are ``queue.Empty``, ``queue.Full`` and ``queue.ShutDown``, and at the same time ChannelEmpty,
    ChannelFull and ChannelClosed, and the first two QueueEmpty and QueueFull of ``concurrent.interpreters``.
    """

    __slots__ = ("__weakref__", "_parts")  # nothing else: what arrives from elsewhere is made without Python code
    __module__ = "xichan"

    def __init__(self, maxsize=0, *, pickle=False, unbounditems=None, syncobj=None):
        if isinstance(maxsize, bool):
            raise TypeError("maxsize must be an int, not bool")
        maxsize = operator.index(maxsize)
        if maxsize > 2**24:
            raise ValueError("maxsize must not be over 2**24; 0 means any number")
        channel = _core.channel
        parts = (*channel(maxsize if maxsize > 0 else None), *channel(1), *channel(None))
        if pickle:
            parts += channel(None)
        parts[_COUNT_TX].send_nowait(0)
        self._parts = parts

    def put(self, item, block=True, timeout=None, *, unbounditems=None, syncobj=None):
        """Put an item into the queue, waiting while it is full.

        block: whether to wait. timeout: for how many seconds (not negative, may be a fraction); None: for ever; not
        looked at if ``block`` is false. Raises Full, ShutDown, NotShareableError, MemoryLimitExceeded; then nothing was put.
        """
        parts = self._parts
        try:
            if len(parts) > _PICKLED_TX:
                _put_anything(parts, item, block, timeout)
            elif block:
                parts[_ITEMS_TX].send(item, timeout)
            else:
                parts[_ITEMS_TX].send_nowait(item)
        except (ChannelFull, ChannelTimeout):
            raise _errors().QueueFull("the queue is full") from None
        except ChannelClosed as error:
            if not parts[_ITEMS_TX].closed:
                raise  # an end in the item is closed, or the interpreter ends
            raise _errors().QueueShutDown(str(error)) from None

    def get(self, block=True, timeout=None):
        """Take the oldest item out of the queue, waiting while it is empty.

        ``block`` and ``timeout`` as in ``put``. Raises Empty; ShutDown if the queue is shut down and empty.
        """
        parts = self._parts
        try:
            item = parts[_ITEMS_RX].recv(timeout) if block else parts[_ITEMS_RX].recv_nowait()
        except (ChannelEmpty, ChannelTimeout):
            raise _errors().QueueEmpty("the queue is empty") from None
        except ChannelClosed as error:
            raise _errors().QueueShutDown(str(error)) from None
        if type(item) is tuple and len(parts) > _PICKLED_TX:
            return item[0] if len(item) == 1 else _pickling().loads(*item)
        return item

    def put_nowait(self, item, *, unbounditems=None, syncobj=None):
        """Put an item into the queue without waiting, or raise Full."""
        self.put(item, False)

    def get_nowait(self):
        """Take the oldest item without waiting, or raise Empty."""
        return self.get(False)

    def qsize(self):
        """How many items are queued now."""
        return len(self._parts[_ITEMS_RX])

    def empty(self):
        """Whether no item is queued now."""
        return not len(self._parts[_ITEMS_RX])

    def full(self):
        """Whether ``maxsize`` items are queued now."""
        return 0 < self.maxsize <= len(self._parts[_ITEMS_RX])

    def task_done(self):
        """Tell that an item that was got has been dealt with. ValueError if all that were put have been."""
        parts = self._parts
        for done in parts[_COUNT_RX]:
            try:
                put = _core._sent(parts[_ITEMS_TX])
                if done >= put:
                    raise ValueError("task_done() called too many times")
                if done + 1 == put:
                    parts[_JOINERS_RX].drain()  # and drop
                done += 1
            finally:
                parts[_COUNT_TX].send_nowait(done)
            break

    def join(self):
        """Wait until ``task_done`` has been called for every item that was put."""
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

    def shutdown(self, immediate=False):
        """Close the queue for every handle, in every interpreter: ``put`` raises ShutDown from now on, and so does
        ``get`` once the queue is empty. Calls that wait are woken.

        immediate: empty the queue too. The tasks of the items thrown away are done; ``join`` waits for the others.
        """
        parts = self._parts
        parts[_ITEMS_TX].shutdown()
        if not immediate:
            return
        for done in parts[_COUNT_RX]:
            try:
                parts[_JOINERS_RX].drain()  # and drop
                for _ in parts[_ITEMS_RX]:
                    done += 1
            finally:
                parts[_COUNT_TX].send_nowait(done)
            break

    @property
    def maxsize(self):
        """int: how many items the queue holds at the most; 0: any number."""
        return self._parts[_ITEMS_RX].capacity or 0

    @property
    def is_shutdown(self):
        """bool: the queue has been shut down; it may still hold items."""
        return self._parts[_ITEMS_TX].closed

    @property
    def unfinished_tasks(self):
        """int: how many items were put for which ``task_done`` has not been called."""
        return self.stats()["unfinished"]

    @property
    def id(self):
        """int: the same for all handles of a queue, and for no other queue ever."""
        return self._parts[_ITEMS_TX].id

    def stats(self):
        """A record of the channel that holds the items, with unfinished (tasks), waiting_joiners, pickled (items)."""
        parts = self._parts
        for done in parts[_COUNT_RX]:
            parts[_COUNT_TX].send_nowait(done)
            break
        record = parts[_ITEMS_TX].stats()
        record["unfinished"] = record["sent"] - done
        record["waiting_joiners"] = len(parts[_JOINERS_RX])
        record["pickled"] = parts[_PICKLED_TX].stats()["sent"] if len(parts) > _PICKLED_TX else 0
        return record

    def __eq__(self, other):
        return self.id == other.id if isinstance(other, Queue) else NotImplemented

    def __hash__(self):
        return hash(self.id)

    def __repr__(self):
        bound = f" of {self.maxsize}" if self.maxsize else ""
        return f"<xichan.Queue {self.qsize()}{bound}{' shut down' if self.is_shutdown else ''}>"

    def __reduce__(self):
        return _rebuild, (type(self), self._parts)

    __class_getitem__ = classmethod(types.GenericAlias)


def _rebuild(cls, parts):
    self = cls.__new__(cls)
    self._parts = parts
    return self


def _put_anything(parts, item, block, timeout):
    """Send an item, pickled if need be. To be told apart, a tuple travels in a tuple of one, a pickle in one of two."""

    def send(value):
        parts[_ITEMS_TX].send(value, timeout) if block else parts[_ITEMS_TX].send_nowait(value)

    try:
        return send((item,) if type(item) is tuple else item)
    except NotShareableError:
        pass
    send(_pickling().dumps(item))
    parts[_PICKLED_TX].send_nowait(None)
    parts[_PICKLED_RX].drain()


_core._register_queue(Queue)
