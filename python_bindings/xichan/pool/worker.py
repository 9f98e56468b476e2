"""The loop of a worker interpreter: receives a task, runs it, sends its result, until the channel of tasks is finished.

A task is (id, function, args, kwargs):

* function: the number under which its description is published; or (description, external) for this task only. A
  description is ``"module:qualified.name"`` or bytes for ``rebuild.by_value``;
* args: a tuple; or bytes, the pickle of (args, kwargs), and then kwargs has the external values of the pickle;
* kwargs: a tuple of pairs, or None.

A chunk is several tasks in one message: id is that of the first, args has the args of each, kwargs is their number.

A result is (id, value); or (id, kind, ...), see ResultKind; or only the id if there was no memory for a result. A
worker that has to end reports so in its last result.

1. From the receipt of a task until its result is sent, ``state.running`` is its id. In a chunk, ``results`` has the
   results not sent yet, and ``not_begun`` the ids that have not begun. If an exception ends the loop, the thread in the
   main interpreter that runs this one calls ``report_end``. Of two results for an id the first counts.
   ``state.runner`` runs the task, and loads its function if it is new: an interrupt is raised in there and nowhere
   else, see task_board.h.
2. Between tasks nothing of a task is kept, except functions that came without endpoints. So the endpoints that a task
   received are closed when the task ends. If it fails, those are closed with its exception.
"""

from __future__ import annotations

import functools
import gc
import sys
from _weakref import ref  # the import of weakref takes milliseconds

from .. import _core, _loader_watch
from .._errors import ChannelClosed, ChannelFull, ChannelTimeout, DecodeError
from .._remote import format_traceback
from . import coroutines, refusal_reports, threads
from .byvalue import rebuild
from .endpoints import fail_endpoints
from .task_names import WorkerState, name_of
from .worker_results import (
    ResultKind,
    await_refusal,
    exited,
    note_refusal,
    raised,
    report,
    report_otherwise,
    runs_again,
    state,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    type _Result = tuple[Any, ...]

FUNCTION_CACHE_SIZE = 256
VERIFY_AFTER = 0.02  # seconds in which the listener should receive a result


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
            raise PreloadFailed(f"{name!r} of preload cannot be imported: {format_traceback(error)}") from None


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
        _work(tasks, state.send, limit)
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
        else:  # no thread is receiving: see results (2)
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


def _next(tasks: _core.Receiver[Any]) -> Any:
    """Receive a task. Raises ChannelClosed.

    Meanwhile make sure that the last results are received: the listener may be stopped, see results (4).
    """
    try:
        task = tasks.recv(VERIFY_AFTER)
    except (ChannelClosed, ChannelTimeout):
        state.verify()
        task = tasks.recv()
    else:
        state.verify()
    return task


def _initialize(data: str | bytes, external: tuple[Any, ...], args: Any, kwargs: Any) -> None:
    try:
        if type(args) is bytes:
            args, kwargs = _loads(args, kwargs)
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


def _work(tasks: _core.Receiver[Any], send: Callable[[Any], None], limit: int | None) -> None:
    functions: dict[Any, Any] = {}  # by number
    shown: int | None = None  # the number of the function that the page shows
    result: _Result | None
    receive = tasks.recv
    run = state.runner.run
    while True:
        if state.refusal_rx is not None:
            await_refusal()
        try:
            task = _next(tasks) if state.unverified else receive()
        except ChannelClosed:
            return
        except DecodeError as error:
            over = _refuse(functions, send, error)
            state.running = None
            if over:
                return
            continue
        id, function, args, kwargs = task
        state.running = id
        count = 1
        if type(function) is tuple:
            shown = None
            state.runner.show("")  # until it is loaded
        elif function != shown:
            _show(functions, shown := function)
        try:
            if kwargs is None and type(args) is tuple:
                found = functions.get(function) if type(function) is not tuple else None
                if found is None:
                    result = (id, run(id, _call, (functions, function, args, None)))
                else:
                    result = (id, run(id, found, args))
            elif type(kwargs) is int:
                count = kwargs
                result = _run_chunk(functions, function, id, args)
            else:
                result = (id, run(id, _call, (functions, function, args, kwargs)))
        except _ChunkEnded as ended:
            result = ended.result
        except SystemExit as error:
            if not state.keeps_endpoints:
                fail_endpoints(error, function, args, kwargs)
            result = exited(id, error, ())
        except BaseException as error:
            if type(kwargs) is not int and not runs_again(error):
                fail_endpoints(error, function, args, kwargs)
            result = raised(id, error)
        task = function = args = kwargs = found = None  # (2)
        if state.streams is not None:
            state.streams.sync()
        if state.refused:
            refusal_reports.settle(result)
        report(send, result)
        state.running = None
        state.results = ()
        over = len(result) == 4 and result[1] == ResultKind.ENDED
        result = None
        if state.once is not None:
            _drop_once(state.once)
            state.once = None
        if over:
            return
        if limit is not None:
            limit -= count
            if limit <= 0:
                return


def _refuse(functions: dict[Any, Any], send: Callable[[Any], None], error: DecodeError) -> bool:
    """Handle a message that cannot be decoded: fail its task; of a chunk, run each task that can be decoded.

    Return whether the worker ends.
    """
    message: Any = error._message
    id, function, args, kwargs = message
    if type(kwargs) is not int:
        _fail_undecoded(error, function, args, kwargs)
        result = raised(id, error)
        refusal_reports.settle(result)
        report(send, result)
        return False
    for number in range(id, id + len(args)):
        try:
            chunk = (_value_of(args[number - id]),)
            result = _run_chunk(functions, _value_of(function), number, chunk)
        except DecodeError as failure:
            _fail_undecoded(failure, args[number - id])
            result = raised(number, failure)
            refusal_reports.settle(result)
        except _ChunkEnded as ended:
            report(send, (*ended.result[:3], tuple(range(number + 1, id + len(args)))))
            return True
        report(send, result)
    return False


def _fail_undecoded(error: DecodeError, *views: Any) -> None:
    """Fail the endpoints in what cannot be decoded."""
    error.record = error._message = None  # the views could not be sent, because their object cannot be made
    if not runs_again(error):
        fail_endpoints(error, *views)


def _value_of(view: Any) -> Any:
    """Return a copy of what a view shows. Raises DecodeError."""
    return view.value() if isinstance(view, (_core.TupleView, _core.RecordView)) else view


def _drop_once(once: list[ref[Any]]) -> None:
    """Close the endpoints that came with the functions of a task, including those in reference cycles."""
    if any(function() is not None for function in once):
        gc.collect()


def _loads(data: bytes, external: tuple[Any, ...]) -> Any:
    from .._pickling import loads

    return loads(data, external)


# Tasks


def _load(functions: dict[Any, Any], function: Any) -> Any:
    """Return the callable of a task."""
    if type(function) is tuple:
        description, external = function
        reader = rebuild.Reader(description, external, state.shared)
        if external:
            state.once = list(map(ref, reader.functions))
        state.runner.show(name_of(reader.root))
        return _runnable(reader.root)
    data = _core.lookup(f"{state.prefix}{function}")
    made = rebuild.by_name(data) if isinstance(data, str) else rebuild.by_value(data, (), state.shared)
    if len(functions) >= FUNCTION_CACHE_SIZE:
        del functions[next(iter(functions))]
    made = functions[function] = _runnable(made)
    _show(functions, function)
    return made


def _show(functions: dict[Any, Any], number: int) -> None:
    """Show the name of a function in the page; until it is loaded, none."""
    state.runner.show(name_of(functions[number]) if number in functions else "")


def _runnable(function: Any) -> Any:
    """Return the function, or for a coroutine function one that runs the coroutine to its end."""
    if not coroutines.is_function(function):
        return function
    return functools.partial(coroutines.run, function)


def _call(functions: dict[Any, Any], function: Any, args: Any, kwargs: Any) -> Any:
    if type(args) is bytes:
        args, kwargs = _loads(args, kwargs)
    made = functions.get(function) if type(function) is not tuple else None  # a tuple may hold a list
    if made is None:
        made = _load(functions, function)
    return made(*args, **dict(kwargs)) if kwargs else made(*args)


class _ChunkEnded(BaseException):
    """A task of a chunk ended the worker. result: the last one to send."""

    def __init__(self, result: _Result) -> None:
        self.result = result


def _run_chunk(functions: dict[Any, Any], function: Any, first: int, chunk: tuple[Any, ...]) -> _Result:
    """Run the tasks of a chunk in order and return their results as one."""
    results: list[_Result] = []
    run = state.runner.run
    first_error: BaseException | None = None
    state.results = results
    state.not_begun = range(first, first + len(chunk))
    for id, args in zip(state.not_begun, chunk):
        state.running = id
        state.not_begun = range(id + 1, first + len(chunk))
        try:
            results.append((id, run(id, _call, (functions, function, args, ()))))
        except SystemExit as error:
            fail_endpoints(first_error or error, function)
            fail_endpoints(error, args)
            first_error = None
            report(state.send, (first, ResultKind.CHUNK, tuple(results)))
            raise _ChunkEnded(exited(id, error, tuple(state.not_begun))) from None
        except BaseException as error:
            if not runs_again(error):
                fail_endpoints(error, args)
                first_error = first_error or error
            results.append(raised(id, error))
        if state.refused:
            refusal_reports.settle(results[-1])
    if first_error is not None:
        fail_endpoints(first_error, function)  # which all tasks of the chunk use
        first_error = None  # it refers to this frame
    return first, ResultKind.CHUNK, tuple(results)


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
    options: Any = sys.modules.get("xichan.pool.options")
    if options is not None:
        options._senders.clear()
    rebuild.initialized.clear()
    gc.collect()
