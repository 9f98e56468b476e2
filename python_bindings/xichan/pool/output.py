"""Brings what workers print to ``sys.stdout`` and ``sys.stderr`` of the interpreter that created them.

A worker sends text, in the order in which it was written, one message for each line or flush. One thread writes it to
the streams that ``sys`` has at that moment, so redirected ones are used, too.

1. Before a worker sends the result of a task that has printed, ``sync`` waits until the text has been written: it sends
   an endpoint, which the thread closes. So the output of a task precedes its result.
2. The thread ends when all Senders are closed: those of workers, and that of the pool.
"""

from __future__ import annotations

import io
import sys

from .. import _core
from .._errors import ChannelClosed, Error
from . import threads
from .atomic import left_until

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CAPACITY = 1024
_MAX_LINE = 8192  # characters that are kept until the line is complete


class Output:
    """Writes what workers send. name: of the thread."""

    def __init__(self, name: str) -> None:
        self.tx, self._rx = _core._own_channel(name.replace("_", " "), _CAPACITY)
        _core._outlast_exit(self._rx)
        self._thread = threads.make(self._run, name)
        self._thread.start()

    def close(self, deadline: float | None = None) -> None:
        """Wait until everything has been written, until the deadline. The workers have ended."""
        self.tx.close()
        left = left_until(deadline)
        self._thread.join(None if left < 0 else left)

    def _run(self) -> None:
        with self._rx:
            for name, text in self._rx:
                try:
                    _write(name, text)
                except Exception:  # the stream is closed, or has no encoding for it; nothing can be reported there
                    pass
                text = None  # closes an endpoint (1)


def _write(name: str, text: Any) -> None:
    stream = getattr(sys, name, None)
    if stream is not None:
        if isinstance(text, str):
            stream.write(text)
        stream.flush()


class Streams:
    """The streams of a worker. tx: of Output."""

    def __init__(self, tx: _core.Sender[Any]) -> None:
        self._tx = tx
        self._streams = (_Stream(tx, "stdout"), _Stream(tx, "stderr"))
        sys.stdout, sys.stderr = self._streams

    def sync(self) -> None:
        """Wait until what was printed since the last call has been written. (1)"""
        for stream in self._streams:
            stream.flush()
        if not any([stream.take_used() for stream in self._streams]):
            return
        try:
            done_tx, done_rx = _core._own_channel("flush of output", 1)
            with done_tx:
                self._tx.send(("stdout", done_tx))
            with done_rx:
                done_rx.recv()
        except Error:  # closed, as it should be
            pass

    def close(self) -> None:
        self.sync()
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        self._tx.close()


class _Stream(io.TextIOBase):
    """A text stream that sends complete lines."""

    def __init__(self, tx: _core.Sender[Any], name: str) -> None:
        self.name = f"<{name}>"
        self._tx = tx
        self._target = name
        self._text = ""
        self._used = False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        kept = self._text + text
        end = len(kept) if len(kept) > _MAX_LINE else kept.rfind("\n") + 1
        self._text = kept[end:]
        self._send(kept[:end])
        return len(text)

    def flush(self) -> None:
        text, self._text = self._text, ""
        self._send(text)

    def take_used(self) -> bool:
        """Return whether something was sent since the last call."""
        used, self._used = self._used, False
        return used

    def _send(self, text: str) -> None:
        if not text:
            return
        self._used = True
        try:
            self._tx.send((self._target, text))
        except ChannelClosed:  # the program exits
            pass
