"""The coroutines of ends, for asyncio. Imported when the first of them is called.

Each event loop has one notifier: a descriptor that the loop reads, and the futures of its watches by key. A coroutine
tries, and if it cannot go ahead opens a watch and sleeps on a future. It acts only in its last step, after which there
is no ``await``, so that cancelling it loses nothing.
"""

import asyncio
import itertools
import weakref

from . import _core
from ._errors import ChannelClosed, ChannelEmpty, ChannelFull, ChannelTimeout, NotShareableError

_EXIT_PATIENCE = 1.0  # seconds that a wait may take once its interpreter is about to end

# By event loop, weakly: a loop holds its notifier as long as it reads the descriptor, and lets go when it is closed.
_notifiers = weakref.WeakKeyDictionary()


class _LoopNotifier:
    """The notifier of one event loop. Does not refer to the loop, which refers to it."""

    def __init__(self, loop):
        self._core = _core._Notifier()
        self._futures = {}
        self._keys = itertools.count(1)
        loop.add_reader(self._core.fileno(), self._wake)

    def _wake(self):
        for key in self._core.collect():
            future = self._futures.pop(key, None)
            if future is not None and not future.done():
                future.set_result(False)

    async def wait(self, cases):
        """Sleep until one of the cases may be ready.

        Returns the watch, which the caller releases when it has tried; the index of the case that the other side has
        completed meanwhile, or None; and whether this was the last try, because the interpreter ends. Nothing is
        enlisted any more then, so the caller may act.
        """
        key = next(self._keys)
        watch, ready = self._core.watch(key, cases)
        last = False
        try:
            if not ready:
                loop = asyncio.get_running_loop()
                self._futures[key] = future = loop.create_future()
                # After the watch was enlisted: either this sees that the end begins, or the watch is nudged then.
                timer = loop.call_later(_EXIT_PATIENCE, _give_up, future) if _core._is_exiting() else None
                try:
                    last = await future
                finally:
                    if timer is not None:
                        timer.cancel()
            return watch, watch.close(), last
        except BaseException:
            watch.release(False)
            raise
        finally:
            self._futures.pop(key, None)


def _give_up(future):
    if not future.done():
        future.set_result(True)


async def _retry(attempt, pending, cases):
    """Call ``attempt`` until it does not raise ``pending``, asleep in between. Returns what it returned, or the index
    of the case that the other side has completed."""
    try:
        return attempt()
    except pending:
        loop = asyncio.get_running_loop()
    known = _notifiers.get(loop)
    notifier = known() if known is not None else None
    if notifier is None:
        notifier = _LoopNotifier(loop)
        _notifiers[loop] = weakref.ref(notifier)
    while True:
        watch, completed, last = await notifier.wait(cases)
        used = False  # an unused wake token goes to the next waiter when the watch is released
        try:
            if completed is not None:
                return completed
            result = attempt()
            used = len(cases) == 1
            return result
        except pending:
            used = True  # spent: whoever makes the channel ready again brings a new one
            if last:
                raise ChannelClosed("interpreter is shutting down") from None
        finally:
            watch.release(used)


async def asend(tx, value):
    await _retry(lambda: tx.send_nowait(value), ChannelFull, [(tx, value)])


async def asend_many(tx, values):
    sent = 0
    for value in values:
        try:
            await asend(tx, value)
        except ChannelClosed:
            if sent:
                return sent
            raise
        except NotShareableError as error:
            error.sent, error.item = sent, value
            raise
        sent += 1
    return sent


async def arecv(rx, *, copy=True):
    return await _retry(lambda: rx.recv_nowait(copy=copy), ChannelEmpty, [rx])


async def arecv_many(rx, max_items, *, copy=True):
    return await _retry(lambda: rx.recv_many(max_items, 0, copy=copy), ChannelTimeout, [rx])


async def anext(rx, *, copy=True):
    try:
        return await arecv(rx, copy=copy)
    except ChannelClosed:
        if _core._is_closed(rx) or not rx.closed:  # this end, or the interpreter ends: not the end of the channel
            raise
    raise StopAsyncIteration


def anext_view(rx):
    return anext(rx, copy=False)


async def aenter(end):
    return end.__enter__()


async def aexit(end):
    end.close()


class _NothingReady(Exception):
    """No case of a select can go ahead now."""


async def aselect(cases, *, copy=True):
    cases = list(cases)

    def attempt():
        result = _core._try_select(cases, copy=copy)
        if result is None:
            raise _NothingReady
        return result

    result = await _retry(attempt, _NothingReady, cases)
    return (cases[result], None) if isinstance(result, int) else result
