"""The loop of a worker interpreter: receives a task, runs it, sends its result, until the channel of tasks is finished.

A task is (id, function, args, kwargs):

* function: the number under which its description is published; or (description, external) for this task only. A
  description is ``"module:qualified.name"`` or bytes for ``rebuild.by_value``;
* args: a tuple; or bytes, the pickle of (args, kwargs), and then kwargs has the external values of the pickle;
* kwargs: a tuple of pairs, or None.

A chunk is several tasks in one message: id is that of the first, args has the args of each, kwargs is their number.

A result is (id, value); or (id, kind, ...), see ResultKind; or only the id if there was no memory for a result. A
worker that has to end reports so in its last result.

1. From the receipt of a task until its result is sent, ``_state.running`` is its id. In a chunk, ``results`` has the
   results not sent yet, and ``not_begun`` the ids that have not begun. If an exception ends the loop, the thread in the
   main interpreter that runs this one calls ``report_end``. Of two results for an id the first counts.
2. Between tasks nothing of a task is kept, except functions that came without endpoints. So the endpoints that a task
   received are closed when the task ends. If it fails, those are closed with its exception.
"""

from __future__ import annotations

import enum
import functools
import gc
import sys
import weakref

from .. import _core
from .._errors import ChannelClosed, ChannelFull, ChannelTimeout, DecodeError, NotFound, NotShareableError
from .._remote import describe_error, format_traceback, is_refusal
from . import coroutines, threads
from .byvalue import rebuild

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

    type _Result = tuple[Any, ...]

FUNCTION_CACHE_SIZE = 256
VERIFY_AFTER = 0.02  # seconds in which the listener should receive a result


class ResultKind(enum.IntEnum):
    """The second item of a result other than (id, value)."""

    PICKLED = 0  # id, kind, data, external
    RAISED = 1  # id, kind, (data, external) or None, type name, message, traceback, Refusal: see _remote.describe_error
    CHUNK = 2  # id of the first task, kind, results
    ENDED = 3  # id, kind, reason, ids of a chunk that have not begun


class Refusal(enum.IntEnum):
    """Whether and when a module could not be loaded in the worker."""

    NONE = 0
    AT_CALL = 1  # while the task ran
    AT_LOAD = 2  # before it began: the function could not be imported or rebuilt


class _State:
    running: int | None = None  # the id of the task
    loading = False  # its function
    once: list[weakref.ref[Any]] | None = None  # weak references to functions that serve for this task only
    results: Sequence[_Result] = ()  # of tasks of the same chunk that have ended
    not_begun: Sequence[int] = ()  # ids of tasks of the same chunk
    send: Callable[[Any], None]  # sends a result
    unverified = False  # a listener should receive the last result
    verify: Callable[[], None]  # wakes the collector if it has not
    pickle = True
    prefix = ""  # of the names under which functions are published
    shared: dict[str, Any] = {}
    pickler: ModuleType | None = None  # the module, once it is needed


_state = _State()


class InitializerFailed(Exception):
    """The initializer of the pool raised an exception in this worker."""


def run() -> None:
    """Run a worker from beginning to end. ``_xichan_setup`` of __main__ is a Receiver of one message."""
    namespace = sys.modules["__main__"].__dict__
    with namespace.pop("_xichan_setup") as setup:
        *endpoints, _state.prefix, name, _state.pickle, limit, shared, initializer = setup.recv()
    del setup
    tasks, results, token, wakeup = endpoints
    threads.adopt(name)
    _state.shared = {name: rebuild.by_value(*value) for name, value in shared}
    namespace.update(_state.shared)
    _state.send = _make_send(results, token, wakeup.send_nowait)
    if initializer is not None:
        _initialize(*initializer)
        initializer = None
    try:
        _work(tasks, _state.send, limit)
    finally:
        coroutines.close()
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
            _state.unverified = True
        else:  # no thread is receiving: see results (2)
            verify()

    def verify() -> None:
        _state.unverified = False
        if len(results):
            try:
                wake(None)
            except ChannelFull:
                pass

    _state.verify = verify
    return send_result


def _next(tasks: _core.Receiver[Any]) -> Any:
    """Receive a task. Raises ChannelClosed.

    Meanwhile make sure that the last results are received: the listener may be stopped, see results (4).
    """
    try:
        task = tasks.recv(VERIFY_AFTER)
    except (ChannelClosed, ChannelTimeout):
        _state.verify()
        task = tasks.recv()
    else:
        _state.verify()
    return task


def _initialize(data: str | bytes, external: tuple[Any, ...], args: Any, kwargs: Any) -> None:
    try:
        if type(args) is bytes:
            args, kwargs = _loads(args, kwargs)
        kwargs = dict(kwargs or ())
        if isinstance(data, str):
            rebuild.by_name(data)(*args, **kwargs)
        else:
            reader = rebuild.Reader(data, external, _state.shared)
            before = list(map(dict.copy, reader.namespaces))
            reader.root(*args, **kwargs)
            reader.keep_changes(before)
    except BaseException as error:
        raise InitializerFailed(format_traceback(error)) from None


def _work(tasks: _core.Receiver[Any], send: Callable[[Any], None], limit: int | None) -> None:
    state = _state
    functions: dict[Any, Any] = {}  # by number
    result: _Result | None
    receive = tasks.recv
    while True:
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
        try:
            if kwargs is None and type(args) is tuple:
                found = functions.get(function) if type(function) is not tuple else None
                result = (id, (_load(functions, function) if found is None else found)(*args))
            elif type(kwargs) is int:
                count = kwargs
                result = _run_chunk(functions, function, id, args)
            else:
                result = (id, _call(functions, function, args, kwargs))
        except _ChunkEnded as ended:
            result = ended.result
        except SystemExit as error:
            fail_endpoints(error, function, args, kwargs)
            result = _exited(id, error, ())
        except BaseException as error:
            if type(kwargs) is not int and not _runs_again(error):
                fail_endpoints(error, function, args, kwargs)
            result = _raised(id, error)
        task = function = args = kwargs = found = None  # (2)
        _send(send, result)
        state.running = None
        state.loading = False
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
        _send(send, _raised(id, _without_views(error)))
        return False
    for number in range(id, id + len(args)):
        try:
            chunk = (_value_of(args[number - id]),)
            result = _run_chunk(functions, _value_of(function), number, chunk)
        except DecodeError as failure:
            result = _raised(number, _without_views(failure))
        except _ChunkEnded as ended:
            _send(send, (*ended.result[:3], tuple(range(number + 1, id + len(args)))))
            return True
        _send(send, result)
    return False


def _without_views(error: DecodeError) -> DecodeError:
    """Remove the views from the error: a pickle of them could not be loaded, because their object cannot be made."""
    error.record = error._message = None
    return error


def _value_of(view: Any) -> Any:
    """Return a copy of what a view shows. Raises DecodeError."""
    return view.value() if isinstance(view, (_core.TupleView, _core.RecordView)) else view


def _drop_once(once: list[weakref.ref[Any]]) -> None:
    """Close the endpoints that came with the functions of a task, including those in reference cycles."""
    if any(function() is not None for function in once):
        gc.collect()


# Results


def _send(send: Callable[[Any], None], result: _Result) -> None:
    """Send a result, or the reason why it cannot be sent."""
    try:
        send(result)
    except BaseException as error:
        _send_otherwise(send, result, error)


def _send_otherwise(send: Callable[[Any], None], result: _Result, error: BaseException) -> None:
    """Send what stands for a result that could not be sent."""
    id, kind, *rest = result
    if rest and kind == ResultKind.CHUNK:
        for one in rest[0]:
            _send(send, one)
    elif rest and kind == ResultKind.RAISED and rest[0] is not None:
        _send(send, (id, kind, None, *rest[1:]))
    elif isinstance(error, MemoryError):
        send(id)  # which needs no block
        if rest and kind == ResultKind.ENDED:
            for one in rest[1]:
                send(one)
    elif rest and kind != ResultKind.PICKLED:  # it has text and numbers only: the channel of results is closed
        raise error
    elif isinstance(error, NotShareableError) and not rest:
        _send(send, _pickle(result, error))
    else:  # an endpoint in the value is closed, or the value is too large
        _send(send, _raised(id, error))


def _raised(id: int, error: BaseException) -> _Result:
    """Return the result of a task that raised an exception."""
    *parts, refused = describe_error(error, _pickler().dumps)
    refusal = (Refusal.AT_LOAD if _state.loading else Refusal.AT_CALL) if refused else Refusal.NONE
    return id, int(ResultKind.RAISED), *parts, int(refusal)


def _runs_again(error: BaseException) -> bool:
    """Return whether the task that raised an exception runs again in the main interpreter, see fallback."""
    if not is_refusal(error):
        return False
    try:
        _core.lookup(f"{_state.prefix}fallback")
    except NotFound:
        return False
    return True


def fail_endpoints(error: BaseException, *values: Any) -> None:
    """Close the endpoints that a task got, also in tuples, with the exception that it raised.

    The endpoints of pickled arguments, and of a function that is sent by value, are beside the pickle. Raises nothing.
    """
    pending = list(values)
    while pending:
        value = pending.pop()
        if type(value) is tuple:
            pending += value
        elif type(value) in (_core.Sender, _core.Receiver):
            try:
                value.close(error=error)
            except BaseException:  # interrupted; it is closed
                pass


def _exited(id: int, leaving: SystemExit, not_begun: tuple[int, ...]) -> _Result:
    """Return the result of a task that raised SystemExit, which ends the worker."""
    if leaving.code is None:
        code = ""
    else:
        try:
            code = str.__str__(repr(leaving.code))
        except BaseException as failure:
            code = f"<repr() raised {type(failure).__qualname__}>"
    return id, int(ResultKind.ENDED), f"it called sys.exit({code})", not_begun


def _pickle(result: _Result, error: NotShareableError) -> _Result:
    """Return the pickled form of a result that is not shareable."""
    id, value = result
    if not _state.pickle:
        message = str(error).replace("value[1]", "result", 1)
        return _raised(id, NotShareableError(f"{message}; the pool was created with pickle=False"))
    try:
        return id, int(ResultKind.PICKLED), *_pickler().dumps(value)
    except BaseException as failure:
        failure.add_note(f"while the result, of type {type(value).__qualname__}, was pickled")
        return _raised(id, failure)


def _pickler() -> ModuleType:
    if _state.pickler is None:
        from .byvalue import pickler

        _state.pickler = pickler
    return _state.pickler


def _loads(data: bytes, external: tuple[Any, ...]) -> Any:
    from .._pickling import loads

    return loads(data, external)


# Tasks


def _load(functions: dict[Any, Any], function: Any) -> Any:
    """Return the callable of a task."""
    _state.loading = True
    if type(function) is tuple:
        description, external = function
        reader = rebuild.Reader(description, external, _state.shared)
        if external:
            _state.once = list(map(weakref.ref, reader.functions))
        _state.loading = False
        return _runnable(reader.root)
    data = _core.lookup(f"{_state.prefix}{function}")
    made = rebuild.by_name(data) if isinstance(data, str) else rebuild.by_value(data, (), _state.shared)
    if len(functions) >= FUNCTION_CACHE_SIZE:
        del functions[next(iter(functions))]
    made = functions[function] = _runnable(made)
    _state.loading = False
    return made


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
    first_error: BaseException | None = None
    _state.results = results
    _state.not_begun = range(first, first + len(chunk))
    for id, args in zip(_state.not_begun, chunk):
        _state.running = id
        _state.not_begun = range(id + 1, first + len(chunk))
        try:
            results.append((id, _call(functions, function, args, ())))
        except SystemExit as error:
            fail_endpoints(first_error or error, function)
            fail_endpoints(error, args)
            first_error = None
            _send(_state.send, (first, int(ResultKind.CHUNK), tuple(results)))
            raise _ChunkEnded(_exited(id, error, tuple(_state.not_begun))) from None
        except BaseException as error:
            if not _runs_again(error):
                fail_endpoints(error, args)
                first_error = first_error or error
            results.append(_raised(id, error))
            _state.loading = False
    if first_error is not None:
        fail_endpoints(first_error, function)  # which all tasks of the chunk use
        first_error = None  # it refers to this frame
    return first, int(ResultKind.CHUNK), tuple(results)


def report_end() -> None:
    """Send results for the task in which the loop ended, and for its chunk. Raises LookupError if there is none.

    The thread of the worker calls this after ``run`` has failed.
    """
    if _state.running is None:
        raise LookupError("no task was running")
    reason = "its loop was interrupted"
    for result in (*_state.results, (_state.running, int(ResultKind.ENDED), reason, tuple(_state.not_begun))):
        try:
            _state.send(result)
        except BaseException as error:
            _send_otherwise(_state.send, result, error)
    _state.running = None
