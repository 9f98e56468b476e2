"""The functions that launch calls in the interpreter of a worker, from its first import to its end."""

from __future__ import annotations

import gc
import sys

from .. import _core, _loader_watch
from .._errors import ChannelFull
from .._remote import format_traceback
from . import coroutines, refusal_reports, threads
from .byvalue import rebuild
from .task_names import WorkerState
from .worker import work
from .worker_functions import loads
from .worker_results import ResultKind, note_refusal, report_otherwise, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class InitializerFailed(Exception):
    """The initializer of the pool raised an exception in this worker."""


class PreloadFailed(Exception):
    """A module of ``preload`` could not be imported in this worker."""


def preload(names: tuple[str, ...]) -> None:
    """Import modules."""
    if names:
        refusal_reports.note()
    for name in names:
        try:
            rebuild.import_module(name)
        except BaseException as error:
            reason = format_traceback(error).rstrip()
            raise PreloadFailed(f"module {name!r} of preload= cannot be imported: {reason}") from None


def run() -> None:
    """Run a worker from beginning to end. ``_xichan_setup`` of __main__ is a Receiver of one message."""
    namespace = sys.modules["__main__"].__dict__
    with namespace.pop("_xichan_setup") as setup:
        name, *endpoints, state.prefix, board, member, output, claims, state.pickle, limit, shared, initializer = (
            setup.recv()
        )
    del setup
    tasks, results, token, wakeup = endpoints
    threads.adopt(name)
    _core._name_interpreter(name)
    if claims is not None:
        from .claims import relax

        relax(claims)
        state.pinned = True
    if output is not None:
        from .output import Streams

        state.streams = Streams(output)
    if member is not None:
        from . import member as members

        state.keeps_endpoints = members.join(name, *member)
    else:
        refusal_reports.note()
        if note_refusal not in _loader_watch._callbacks:
            _loader_watch.install(note_refusal)
    state.runner = _core._TaskRunner(board, name, member is not None)
    sys.unraisablehook = state.runner.unraisablehook
    coroutines.attach(state.runner)
    state.shared = {name: rebuild.by_value(*value) for name, value in shared}
    namespace.update(state.shared)
    state.send = _make_send(results, token, wakeup.send_nowait)
    if initializer is not None:
        _initialize(*initializer)
        initializer = None
    refusal_reports.settle(None)
    try:
        state.runner.set_state(WorkerState.READY)
        work(tasks, state.send, limit)
        refusal_reports.settle(None)  # of threads that tasks have left
    finally:
        state.runner.set_state(WorkerState.ENDED)
        coroutines.close()
        if state.streams is not None:
            state.streams.close()
    # Not in a finally: after an exception report_end needs them.
    for end in endpoints:
        end.close()


def _make_send(
    results: _core.Sender[Any], token: _core.Sender[None], wake: Callable[[None], None]
) -> Callable[[Any], None]:
    send = results.send

    def send_result(result: Any) -> None:
        send(result)
        if len(token):
            state.unverified = True
        else:  # no thread is receiving: see collector (2)
            verify()

    def verify() -> None:
        state.unverified = False
        if len(results):
            try:
                wake(None)
            except ChannelFull:
                pass

    state.verify = verify
    return send_result


def _initialize(data: str | bytes, external: tuple[Any, ...], args: Any, kwargs: Any) -> None:
    try:
        if type(args) is bytes:
            args, kwargs = loads(args, kwargs)
        kwargs = dict(kwargs or ())
        if isinstance(data, str):
            rebuild.by_name(data)(*args, **kwargs)
        else:
            reader = rebuild.Reader(data, external, state.shared)
            before = list(map(dict.copy, reader.namespaces))
            reader.root(*args, **kwargs)
            reader.keep_changes(before)
    except BaseException as error:
        raise InitializerFailed(f"the initializer raised: {format_traceback(error)}") from None


def report_end() -> None:
    """Send results for the task in which the loop ended, and for its chunk. Raises LookupError if there is none.

    The thread of the worker calls this after ``run`` has failed.
    """
    if state.running is None:
        raise LookupError("no task was running")
    reason = "its loop was interrupted"
    refusal_reports.settle((state.running, ResultKind.ENDED))
    for result in (*state.results, (state.running, ResultKind.ENDED, reason, tuple(state.not_begun))):
        try:
            state.send(result)
        except BaseException as error:
            report_otherwise(state.send, result, error)
    state.running = None


def reset() -> None:
    """Forget the pool that this interpreter has served, so that it can serve another one. See pinned."""
    namespace = sys.modules["__main__"].__dict__
    for name in state.shared:
        namespace.pop(name, None)
    vars(state).clear()
    options: Any = sys.modules.get("xichan.pool.task_options")
    if options is not None:
        options.senders.clear()
    rebuild.initialized.clear()
    gc.collect()
