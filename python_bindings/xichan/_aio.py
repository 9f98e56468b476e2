"""The coroutines of endpoints, for asyncio. Imported when the first of them is called.

Each event loop has one notifier: a descriptor that the loop reads, and the futures of the loop's watches by key. A
coroutine tries its operation; if that cannot proceed, the coroutine opens a watch and waits for a future. It acts only
in its last step, which no ``await`` follows, so that cancelling it loses nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import weakref

from . import _core
from ._errors import ChannelClosed, ChannelEmpty, ChannelFailed, ChannelFull, ChannelTimeout, NotShareableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from types import TracebackType
    from typing import Any

    from ._core import Receiver, Sender, _End

# By event loop. Weak: a loop holds its notifier while it reads the descriptor, and drops it when the loop is closed.
_notifiers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[_LoopNotifier]]
_notifiers = weakref.WeakKeyDictionary()


class _LoopNotifier:
    """The notifier of one event loop. Holds no reference to the loop, which refers to it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._core = _core._Notifier()
        self._futures: dict[int, asyncio.Future[bool]] = {}
        self._keys = itertools.count(1)
        loop.add_reader(self._core.fileno(), self._wake)

    def _wake(self) -> None:
        for key in self._core.collect():
            future = self._futures.pop(key, None)
            if future is not None and not future.done():
                future.set_result(False)

    async def join(self, obj: Any, ticket: int, *wanted: Any) -> tuple[_core._StateWatch, bool]:
        """Wait until an object admits this coroutine, or until it is to ask again.

        Returns the watch, which is still in the queue if it was not admitted, and whether the interpreter is shutting
        down. A cancelled call releases what it was admitted to.
        """
        key = next(self._keys)
        watch, admitted = obj._join(self._core, key, ticket, *wanted)
        last = False
        try:
            if not admitted:
                last = await self._decided(key)
        except BaseException:
            watch.withdraw()
            raise
        return watch, last

    async def _decided(self, key: int) -> bool:
        """Wait until the watch with this key is decided. Returns True if the interpreter shuts down instead."""
        loop = asyncio.get_running_loop()
        self._futures[key] = future = loop.create_future()
        # After the watch was enlisted: a shutdown that is not seen here wakes the watch.
        patience = _core._exit_patience()
        timer = None if patience is None else loop.call_later(patience, _give_up, future)
        try:
            return await future
        finally:
            self._futures.pop(key, None)
            if timer is not None:
                timer.cancel()

    async def wait(self, cases: list[Any] | _End) -> tuple[_core._Watch, int | None, bool]:
        """Wait until one of the cases may be ready, or until the channel of an endpoint is closed.

        Returns the watch, which the caller releases after its next attempt; the index of the case that the other side
        has completed meanwhile, or None; and whether that attempt is the last one, because the interpreter is shutting
        down. The watch is no longer enlisted then, so the caller may act.
        """
        key = next(self._keys)
        if isinstance(cases, list):
            watch, ready = self._core.watch(key, cases)
        else:
            watch, ready = self._core.watch_closed(key, cases)
        last = False
        try:
            if not ready:
                last = await self._decided(key)
            return watch, watch.close(), last
        except BaseException:
            watch.release(False)
            raise


def _give_up(future: asyncio.Future[bool]) -> None:
    if not future.done():
        future.set_result(True)


def notifier_of(loop: asyncio.AbstractEventLoop) -> _LoopNotifier:
    known = _notifiers.get(loop)
    notifier = known() if known is not None else None
    if notifier is None:
        notifier = _LoopNotifier(loop)
        _notifiers[loop] = weakref.ref(notifier)
    return notifier


async def _retry(attempt: Callable[[], Any], pending: type[Exception], cases: list[Any] | _End) -> Any:
    """Call ``attempt`` until it does not raise ``pending``, and wait between the calls.

    Returns the result of ``attempt``, or the index of the case that the other side has completed.
    """
    try:
        return attempt()
    except pending:
        loop = asyncio.get_running_loop()
    notifier = notifier_of(loop)
    while True:
        watch, completed, last = await notifier.wait(cases)
        used = False  # an unused wake token goes to the next waiter when the watch is released
        try:
            if completed is None:
                result = attempt()
                used = len(cases) == 1
            else:
                result = completed
            _core._renew_exit_patience()
            return result
        except pending:
            used = True  # spent: the operation that makes the channel ready again issues another token
            if last:
                raise ChannelClosed("the interpreter is shutting down") from None
        finally:
            watch.release(used)


async def asend(tx: Sender[Any], value: object) -> None:
    await _retry(lambda: tx.send_nowait(value), ChannelFull, [(tx, value)])


async def asend_many(tx: Sender[Any], values: Iterable[Any]) -> int:
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


async def arecv(rx: Receiver[Any], *, copy: bool = True) -> Any:
    return await _retry(lambda: rx.recv_nowait(copy=copy), ChannelEmpty, [rx])


async def arecv_many(rx: Receiver[Any], max_items: int, *, copy: bool = True) -> list[Any]:
    items: list[Any] = await _retry(lambda: rx.recv_many(max_items, 0, copy=copy), ChannelTimeout, [rx])
    return items


async def anext(rx: Receiver[Any], *, copy: bool = True) -> Any:
    try:
        return await arecv(rx, copy=copy)
    except ChannelFailed:
        raise
    except ChannelClosed:
        if _core._is_closed(rx) or not rx.closed:  # closed endpoint or interpreter exit: not the end of the stream
            raise
    raise StopAsyncIteration


def anext_view(rx: Receiver[Any]) -> Coroutine[Any, Any, Any]:
    return anext(rx, copy=False)


async def aenter[E: _End](endpoint: E) -> E:
    return endpoint.__enter__()


async def aexit(
    endpoint: _End,
    exc_type: type[BaseException] | None = None,
    error: BaseException | None = None,
    traceback: TracebackType | None = None,
) -> None:
    endpoint.__exit__(exc_type, error, traceback)


async def await_closed(endpoint: _End) -> None:
    await _retry(lambda: endpoint.wait_closed(0), ChannelTimeout, endpoint)


class _NothingReady(Exception):
    """No case of a select can proceed now."""


async def aselect(cases: Iterable[Any], *, copy: bool = True) -> tuple[Any, Any]:
    if isinstance(cases, (_core._End, _core._Views)):
        _core._try_select(cases)  # raises TypeError; iterating over a Receiver would receive its values
    cases = list(cases)
    if any(hasattr(type(case), "completion") for case in cases):
        from .pool import select_futures

        return await select_futures.aselect(cases, lambda plain: aselect(plain, copy=copy))

    def attempt() -> tuple[Any, Any]:
        result = _core._try_select(cases, copy=copy)
        if result is None:
            raise _NothingReady
        return result

    result = await _retry(attempt, _NothingReady, cases)
    return (cases[result], None) if isinstance(result, int) else result
