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

from .. import _core
from .._errors import ChannelClosed, ChannelTimeout, DecodeError
from . import refusal_reports
from .endpoints import fail_endpoints
from .worker_functions import call, drop_once, show
from .worker_results import (
    ResultKind,
    await_refusal,
    exited,
    raised,
    report,
    runs_again,
    state,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    type _Result = tuple[Any, ...]

VERIFY_AFTER = 0.02  # seconds in which the listener should receive a result


def _next(tasks: _core.Receiver[Any]) -> Any:
    """Receive a task. Raises ChannelClosed.

    Meanwhile make sure that the last results are received: the listener may be stopped, see collector (4).
    """
    try:
        task = tasks.recv(VERIFY_AFTER)
    except (ChannelClosed, ChannelTimeout):
        state.verify()
        task = tasks.recv()
    else:
        state.verify()
    return task


def work(tasks: _core.Receiver[Any], send: Callable[[Any], None], limit: int | None) -> None:
    """Run the tasks of a channel until it is finished, a task ends the worker, or the limit is reached."""
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
            show(functions, shown := function)
        try:
            if kwargs is None and type(args) is tuple:
                found = functions.get(function) if type(function) is not tuple else None
                if found is None:
                    result = (id, run(id, call, (functions, function, args, None)))
                else:
                    result = (id, run(id, found, args))
            elif type(kwargs) is int:
                count = kwargs
                result = _run_chunk(functions, function, id, args)
            else:
                result = (id, run(id, call, (functions, function, args, kwargs)))
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
            drop_once(state.once)
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
            results.append((id, run(id, call, (functions, function, args, ()))))
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
