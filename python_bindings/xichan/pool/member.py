"""The inside of a worker of ``xichan.Workers``: what ``xichan.worker()`` returns, and how its target is called.

A message to the Workers is (index, attempt): this attempt of the worker is ready; or the report of a module that was
refused in it, see refusal_reports. The Workers close their Sender of the other channel to stop the workers.
"""

from __future__ import annotations

from .. import _core
from .._errors import ChannelClosed, ChannelTimeout, Error
from . import coroutines, refusal_reports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_current: Worker | None = None


class Worker:
    """A worker of ``xichan.Workers``, as seen from inside. Any thread of its interpreter may use it.

    index: int, from 0. name: str, also of the thread. attempt: how often the worker has been restarted.
    """

    __slots__ = ("_ready_tx", "_stop_rx", "attempt", "index", "name")
    __module__ = "xichan"

    def __init__(
        self, name: str, index: int, attempt: int, ready_tx: _core.Sender[Any], stop_rx: _core.Receiver[None]
    ) -> None:
        self.index = index
        self.name = name
        self.attempt = attempt
        self._ready_tx = ready_tx
        self._stop_rx = stop_rx

    def __repr__(self) -> str:
        return f"<xichan worker {self.index} {self.name!r}>"

    def ready(self) -> None:
        """Report that the worker is ready, for ``Workers.ready``. Another call has no effect."""
        try:
            self._ready_tx.send((self.index, self.attempt))
        except ChannelClosed:
            pass
        self._ready_tx.close()

    @property
    def stopping(self) -> bool:
        """Whether the worker has to stop: ``Workers.stop`` was called, another one failed, or the program exits."""
        return self._stop_rx.closed

    def wait_stop(self, timeout: float | None = None) -> bool:
        """Block until the worker has to stop. Returns False if the timeout, in seconds, expires before."""
        try:
            self._stop_rx.recv(timeout)
        except ChannelTimeout:
            return False
        except Error:
            pass
        return True

    async def stop(self) -> None:
        """Wait in the running asyncio event loop until the worker has to stop."""
        try:
            await self._stop_rx.arecv()
        except Error:
            pass

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the worker has to stop, for a selector.

        Call it again before each wait, and check ``stopping`` afterwards.
        """
        descriptor = self._stop_rx.fileno()
        try:
            self._stop_rx.recv_nowait()  # arms the descriptor
        except Error:
            pass
        return descriptor


def worker() -> Worker:
    """Return the worker of ``xichan.Workers`` that this interpreter is. Raises RuntimeError anywhere else."""
    if _current is None:
        raise RuntimeError(
            "worker() must be called in a target of xichan.Workers; this interpreter is not one of its workers"
        )
    return _current


worker.__module__ = "xichan"


def join(
    name: str, index: int, attempt: int, ready_tx: _core.Sender[Any], stop_rx: _core.Receiver[None], restarts: bool
) -> bool:
    """Make this interpreter a worker. restarts: whether it may be restarted, which is returned."""
    global _current
    refusal_reports.watch(ready_tx.clone().send)
    _current = Worker(name, index, attempt, ready_tx, stop_rx)
    return restarts


def run_target(target: Callable[..., object], *args: Any) -> None:
    """Call the target of a worker. What it returns is dropped."""
    if coroutines.is_function(target):
        coroutines.run(target, *args)
    else:
        target(*args)
