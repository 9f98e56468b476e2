"""The results of a worker: how they are described and sent. See worker for their form."""

from __future__ import annotations

import threading

from .. import _core
from .._errors import Error, NotFound, NotShareableError
from .._remote import describe_error, is_refusal, summary_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

    from .output import Streams

    type _Result = tuple[Any, ...]


LONGEST_WAIT = 0.1  # seconds, for await_refusal()


class ResultKind:  # plain numbers: an enum would take a millisecond of the start of a worker
    """The second item of a result other than (id, value)."""

    PICKLED = 0  # id, kind, data, external
    RAISED = 1  # id, kind, exception or None, type name, message, traceback (see _remote.describe_error), refusal
    CHUNK = 2  # id of the first task, kind, results
    ENDED = 3  # id, kind, reason, ids of a chunk that have not begun
    REFUSED = 4  # id or None, kind, report: no result, see refusal_reports


class Refusal:
    """The interpreter that has refused a module of the task.

    A refusal is (Refusal, Sender, names of the modules, see refused.names_of), or () if there was none. The worker
    waits until the Sender is closed, which happens when the refusal has been handled.
    """

    IN_WORKER = 1
    IN_PINNED = 2  # see pinned


class _State:
    """What this worker is doing, and what it needs for that."""

    running: int | None = None  # the id of the task
    once: list[weakref.ref[Any]] | None = None  # weak references to functions that serve for this task only
    results: Sequence[_Result] = ()  # of tasks of the same chunk that have ended
    not_begun: Sequence[int] = ()  # ids of tasks of the same chunk
    refused: list[Any] = []  # notes of refused modules, see refusal_reports
    report: Callable[[Any], None] | None = None  # of a worker of Workers, instead of notes
    send: Callable[[Any], None]  # sends a result
    unverified = False  # a listener should receive the last result
    verify: Callable[[], None]  # wakes the collector if it has not
    pickle = True
    prefix = ""  # of the names under which functions are published
    runner: _core._TaskRunner  # runs tasks, so that they can be interrupted
    streams: Streams | None = None  # that forward what tasks print
    pinned = False  # this is the pinned interpreter
    keeps_endpoints = False  # of a task that fails: it may be restarted
    refusal_rx: _core.Receiver[None] | None = None  # closed when the last refusal has been handled
    shared: dict[str, Any] = {}
    pickler: ModuleType | None = None  # the module, once it is needed


state = _State()
local = threading.local()  # .task: (id, prefix) of the task that this thread of the main interpreter runs


def runs_task() -> bool:
    """Return whether a task runs in this interpreter if it is a worker, or else in this thread."""
    return state.running is not None or hasattr(local, "task")


def report(send: Callable[[Any], None], result: _Result) -> None:
    """Send a result, or the reason why it cannot be sent."""
    try:
        send(result)
    except BaseException as error:
        report_otherwise(send, result, error)


def report_otherwise(send: Callable[[Any], None], result: _Result, error: BaseException) -> None:
    """Send what stands for a result that could not be sent."""
    id, kind, *rest = result
    if rest and kind == ResultKind.CHUNK:
        for one in rest[0]:
            report(send, one)
    elif rest and kind == ResultKind.RAISED and rest[0] is not None:
        report(send, (id, kind, None, *rest[1:]))
    elif isinstance(error, MemoryError):
        send(id)  # which needs no block
        if rest and kind == ResultKind.ENDED:
            for one in rest[1]:
                send(one)
    elif rest and kind != ResultKind.PICKLED:  # it has text and numbers only: the channel of results is closed
        raise error
    elif isinstance(error, NotShareableError) and not rest:
        report(send, _pickle(result, error))
    else:  # an endpoint in the value is closed, or the value is too large
        report(send, raised(id, error))


def raised(id: int, error: BaseException) -> _Result:
    """Return the result of a task that raised an exception."""
    description = describe_error(error, lambda value: _pickler().dumps(value))
    _, type_name, message, _, refused = description
    if not (refused and _has_fallback()):  # then the task runs elsewhere
        state.runner.show_failure(summary_of(type_name, message))
    return id, ResultKind.RAISED, *description[:-1], _refusal_of(error) if refused else ()


def _refusal_of(error: BaseException) -> tuple[Any, ...]:
    """Return what the pool has to know about a module that was refused."""
    if not _has_fallback():
        return ()
    from .refused import names_of, remember

    names = names_of(error)
    remember(names)
    tx, state.refusal_rx = _core._own_channel("refusal of a module", 1)
    return Refusal.IN_PINNED if state.pinned else Refusal.IN_WORKER, tx, *names


def await_refusal() -> None:
    """Wait until the pool has handled a refusal: it may take further calls out of the queue that would be refused."""
    rx, state.refusal_rx = state.refusal_rx, None
    if rx is not None:
        try:
            rx.recv(LONGEST_WAIT)
        except Error:  # closed, as expected, or the pool does other work
            pass
        rx.close()


def note_refusal(name: str, reason: str) -> None:
    """Note that this interpreter has refused a module, also if the task handles that. See _loader_watch."""
    if _has_fallback():
        from .refused import remember

        remember((name,))


def runs_again(error: BaseException) -> bool:
    """Return whether the task that raised an exception may run again: restarted, or in another interpreter."""
    return state.keeps_endpoints or (is_refusal(error) and _has_fallback())


def _has_fallback() -> bool:
    """Return whether tasks whose modules this interpreter refuses run in another one."""
    if not state.prefix:  # this interpreter does not belong to a pool
        return False
    try:
        _core.lookup(f"{state.prefix}fallback")
    except NotFound:
        return False
    return True


def exited(id: int, leaving: SystemExit, not_begun: tuple[int, ...]) -> _Result:
    """Return the result of a task that raised SystemExit, which ends the worker."""
    if leaving.code is None:
        code = ""
    else:
        try:
            code = str.__str__(repr(leaving.code))
        except BaseException as failure:
            code = f"<repr() raised {type(failure).__qualname__}>"
    return id, ResultKind.ENDED, f"it called sys.exit({code})", not_begun


def _pickle(result: _Result, error: NotShareableError) -> _Result:
    """Return the pickled form of a result that is not shareable."""
    id, value = result
    if not state.pickle:
        message = str(error).replace("value[1]", "result", 1)
        return raised(id, NotShareableError(f"{message}; the pool was created with pickle=False"))
    try:
        return id, ResultKind.PICKLED, *_pickler().dumps(value)
    except BaseException as failure:
        failure.add_note(f"while the result, of type {type(value).__qualname__}, was pickled")
        return raised(id, failure)


def _pickler() -> ModuleType:
    if state.pickler is None:
        from .byvalue import pickler

        state.pickler = pickler
    return state.pickler
