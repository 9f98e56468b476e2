"""Operations that threads and coroutines share.

An operation is a generator. It yields ``(receiver, timeout)`` to wait for a value of a local Receiver, which it gets
back, or for the exception of that receive. ``run()`` waits in the calling thread, ``arun()`` in the running event loop.
"""

from __future__ import annotations

from time import monotonic

from .._errors import ChannelTimeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from .. import Receiver

    type _Steps[T] = Generator[tuple[Receiver[Any], float | None], Any, T]


def run[T](steps: _Steps[T]) -> T:
    try:
        receiver, timeout = next(steps)
        while True:
            try:
                value = receiver.recv(timeout)
            except BaseException as error:
                receiver, timeout = steps.throw(error)
            else:
                receiver, timeout = steps.send(value)
    except StopIteration as done:
        result: T = done.value
        return result


async def arun[T](steps: _Steps[T]) -> T:
    try:
        receiver, timeout = next(steps)
        while True:
            try:
                value = await _receive(receiver, timeout)
            except BaseException as error:
                receiver, timeout = steps.throw(error)
            else:
                receiver, timeout = steps.send(value)
    except StopIteration as done:
        result: T = done.value
        return result


async def finish[T](steps: _Steps[T]) -> T:
    """Run an operation to its end, even if the task is cancelled meanwhile: then raises CancelledError at the end.

    A second cancellation ends the operation early. Without an event loop, waits in the calling thread.
    """
    import asyncio

    try:
        task = asyncio.get_running_loop().create_task(arun(steps))
    except RuntimeError:  # a coroutine that is closed
        return run(steps)
    cancelled: BaseException | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            if cancelled is not None:
                task.cancel()
            cancelled = error
    if cancelled is None:
        return task.result()
    failure = None if task.cancelled() else task.exception()
    raise cancelled from failure


async def _receive(receiver: Receiver[Any], timeout: float | None) -> Any:
    if timeout is None:
        return await receiver.arecv()
    import asyncio

    limit = asyncio.timeout(timeout)
    try:
        async with limit:
            return await receiver.arecv()
    except TimeoutError:
        if not limit.expired():
            raise
        raise ChannelTimeout("timed out") from None


class Deadline:
    """The end of a timeout in seconds; None: never."""

    __slots__ = ("at",)

    def __init__(self, timeout: float | None) -> None:
        self.at = None if timeout is None else monotonic() + timeout

    def left(self, most: float | None = None, grace: float = 0.0) -> float | None:
        """Return the seconds that are left until ``grace`` seconds after the end, at most ``most``."""
        if self.at is None:
            return most
        left = max(self.at + grace - monotonic(), 0.0)
        return left if most is None else min(left, most)

    def passed(self, grace: float = 0.0) -> bool:
        return self.at is not None and monotonic() >= self.at + grace


def check_timeout(timeout: float | None) -> None:
    """Raise TypeError or ValueError, as local endpoints do, unless this is a timeout."""
    if timeout is None:
        return
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"timeout must be a number of seconds or None, got {type(timeout).__name__}")
    if not timeout >= 0:
        raise ValueError(f"timeout must not be negative, got {timeout}")
