"""Recording what the process sends, receives, waits for and runs. Imported when ``trace`` is first used."""

from __future__ import annotations

import atexit
import os
import threading

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Trace:
    """A recording of the process; created by ``trace()``. All threads of the interpreter may use it."""

    __module__ = "xichan"

    def __init__(self, *, _create: tuple[str, int] | None = None) -> None:
        if _create is None:
            raise TypeError("cannot create 'xichan.Trace' instances; call xichan.trace()")
        self._path, max_events = _create
        self._lock = threading.RLock()  # a signal handler may call stop() while it runs
        self._process = os.getpid()
        self._counts = (0, 0)
        self._number = 0
        try:
            self._number = _core._trace_start(max_events)
            open(self._path, "wb").close()
            atexit.register(self.stop)
        except BaseException:
            _core._trace_stop(self._number, -1)
            raise

    @property
    def path(self) -> str:
        """The file that ``stop()`` writes."""
        return self._path

    @property
    def events(self) -> int:
        """How many events were recorded so far."""
        return self._count()[0]

    @property
    def dropped(self) -> int:
        """How many events were dropped so far, because ``max_events`` were recorded already or memory ran out."""
        return self._count()[1]

    def stop(self) -> None:
        """End the recording and write the file. Idempotent; in the child of a fork it does nothing.

        Raises OSError if the file cannot be written; the recording is over then, and what it recorded is lost. Blocks
        while it writes; other threads run. Thread-safe.
        """
        if self._process != os.getpid():
            return
        with self._lock:
            counts = _core._trace_count(self._number)
            if counts is None:
                return
            self._counts = counts
            atexit.unregister(self.stop)
            try:
                if self._path.endswith(".gz"):
                    self._write_compressed()
                else:
                    self._write_plain()
            finally:
                _core._trace_stop(self._number, -1)  # if it could not be written

    def _write(self, descriptor: int) -> bool:
        counts = _core._trace_stop(self._number, descriptor)
        if counts is not None:
            self._counts = counts
        return counts is not None

    def _write_plain(self) -> None:
        # Without O_TRUNC: the file is empty, or a signal handler has written it just now.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self._write(descriptor)
        finally:
            os.close(descriptor)

    def _write_compressed(self) -> None:
        import gzip
        import shutil
        import tempfile

        with tempfile.TemporaryFile() as plain:
            if not self._write(plain.fileno()):
                return
            plain.seek(0)
            with gzip.open(self._path, "wb", compresslevel=6) as file:
                shutil.copyfileobj(plain, file, 1 << 20)

    def _count(self) -> tuple[int, int]:
        return _core._trace_count(self._number) or self._counts

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        events, dropped = self._count()
        return f"<xichan.Trace {self._path!r} events={events} dropped={dropped}>"


def trace(path: str | os.PathLike[str], *, max_events: int = 1_000_000) -> Trace:
    """Record what all interpreters and threads of the process do with xichan, until ``stop()`` writes it to a file.

        with xichan.trace("out.json"):
            ...

    The file is in the Trace Event Format: open it at https://ui.perfetto.dev or in chrome://tracing. It has a slice for
    each send, receive, wait and task, an arrow from each send to the receive of the message, and the depth of each
    channel. A name that ends in ``.gz`` makes it compressed; Perfetto opens that as well.

    path: the file, which is created at once and replaced if it exists.
    max_events: int, at least 1: how many events are kept in memory, 64 bytes each. Later ones are dropped and counted.

    Returns a Trace, which is also a context manager. A trace that is not stopped ends with the interpreter that began
    it. The child of a fork records nothing.

    Raises RuntimeError if the process records a trace already, OSError if the file cannot be opened, and TypeError or
    ValueError for an invalid max_events. Never blocks. Thread-safe.
    """
    if not isinstance(max_events, int) or isinstance(max_events, bool):
        raise TypeError(f"max_events must be an int, got {type(max_events).__name__}")
    if max_events < 1:
        raise ValueError(f"max_events must be at least 1, got {max_events}")
    return Trace(_create=(os.fsdecode(path), min(max_events, 2**62)))
