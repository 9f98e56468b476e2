"""What runs in a worker interpreter: take a task, run it, answer, until the channel of tasks is finished.

A task is (id, function, args, kwargs):

* function: a number, under which its description is published, ``"module:qualified.name"`` or bytes for
  ``rebuild.by_value``; or a tuple of such bytes and what belongs beside them, and then what is made of it serves once;
* args: a tuple; or bytes, the pickle of (args, kwargs), and then kwargs is what belongs beside it;
* kwargs: a tuple of pairs, or None;
* or a chunk: id is that of the first, args a tuple of the args of each, and kwargs their number.

An answer is (id, value), or one of those below, or if there is no memory for one the id alone. A worker that has to end
says so in its last answer.

1. From when a task is taken until its answer is sent, `_state.running` is its id. Whatever ends the worker in between,
   the thread in the main interpreter that lends itself to this one has the last word: it calls ``report_end``.
2. Between tasks nothing of a task is kept, except functions that came without ends: an end that a task was given is
   closed when the task is over.
"""

import gc
import sys
import weakref

from .. import _core
from .._errors import ArenaFull, ChannelClosed, ChannelFull, NotShareableError
from . import rebuild

PICKLED = 0  # (id, PICKLED, data, beside)
RAISED = 1  # (id, RAISED, (data, beside) or None, type name, message, traceback, refused), see describe_error
CHUNK = 2  # (id of the first, CHUNK, answers)
ENDED = 3  # (id, ENDED, why, ids of a chunk that have not begun)

KEPT = 256  # functions that a worker keeps


class _State:
    running = None  # the id of the task
    loading = False  # its function
    once = None  # weak references to the functions that came with it and serve for it alone
    left = ()  # the ids after it, of the same chunk
    send = None  # an answer
    pickle = True
    prefix = ""  # of the names under which functions are published
    shared: dict = {}
    pickles = None  # the module, when it is needed


_state = _State()


class InitializerFailed(Exception):
    """The initializer of the pool raised, here."""


def run():
    """The whole life of a worker: ``_xichan_setup`` of __main__ is a Receiver that has one message."""
    namespace = sys.modules["__main__"].__dict__
    with namespace.pop("_xichan_setup") as setup:
        tasks, answers, token, bell, _state.prefix, _state.pickle, limit, shared, initializer = setup.recv()
    del setup
    _state.shared = {name: rebuild.by_value(*value) for name, value in shared}
    namespace.update(_state.shared)
    _state.send = _make_send(answers.send, token, bell.send_nowait)
    if initializer is not None:
        _initialize(*initializer)
        initializer = None
    _work(tasks, _state.send, limit)
    # Not if that has raised: report_end comes next.
    for end in (tasks, answers, token, bell):
        end.close()


def _make_send(send, token, ring):
    def send_answer(answer):
        send(answer)
        if not len(token):  # nobody listens: see collector (2)
            try:
                ring(None)
            except ChannelFull:
                pass

    return send_answer


def _initialize(data, beside, args, kwargs):
    try:
        function = rebuild.by_name(data) if type(data) is str else rebuild.by_value(data, beside, _state.shared)
        if type(args) is bytes:
            args, kwargs = _loads(args, kwargs)
        function(*args, **dict(kwargs or ()))
    except BaseException as error:
        raise InitializerFailed(_traceback(error)) from None


def _work(tasks, send, limit):
    state = _state
    functions = {}
    for task in tasks:
        id, function, args, kwargs = task
        state.running = id
        count = 1
        try:
            if kwargs is None and type(args) is tuple:
                found = functions.get(function)
                answer = (id, (_load(functions, function) if found is None else found)(*args))
            elif type(kwargs) is int:
                count = kwargs
                answer = _run_chunk(functions, function, id, args)
            else:
                answer = (id, _call(functions, function, args, kwargs))
        except _Ended as ended:
            answer = ended.answer
        except SystemExit as error:
            answer = (id, ENDED, f"it called sys.exit({'' if error.code is None else repr(error.code)})", ())
        except BaseException as error:
            answer = describe_error(id, error)
        task = function = args = kwargs = found = None  # (2)
        _send(send, answer)
        state.running = None
        state.loading = False
        over = len(answer) == 4 and answer[1] == ENDED
        answer = None
        if state.once is not None:
            _drop_once(state)
        if over:
            return
        if limit is not None:
            limit -= count
            if limit <= 0:
                return


def _drop_once(state):
    """Close the ends that came with the functions of a task, also those in cycles."""
    if any(function() is not None for function in state.once):
        gc.collect()
    state.once = None


def _send(send, answer):
    try:
        send(answer)
    except NotShareableError as error:
        if len(answer) == 3:  # a CHUNK
            for one in answer[2]:
                _send(send, one)
        else:
            _send(send, _pickle(answer, error))
    except ArenaFull:
        send(answer[0])  # which needs no block
    except ChannelClosed as error:  # an end in the value is closed
        _send(send, describe_error(answer[0], error))


def _pickle(answer, error):
    id, value = answer
    if not _state.pickle:
        message = str(error).replace("value[1]", "result", 1)
        return describe_error(id, NotShareableError(f"{message}, and the pool does not pickle"))
    try:
        return id, PICKLED, *_pickles().dumps(value)
    except BaseException as failure:
        failure.add_note(f"while the result, of type {type(value).__qualname__}, was pickled")
        return describe_error(id, failure)


def _pickles():
    if _state.pickles is None:
        from . import pickles

        _state.pickles = pickles
    return _state.pickles


def _loads(data, beside):
    from .._pickling import loads

    return loads(data, beside)


def _load(functions, function):
    """The callable of a task."""
    _state.loading = True
    if type(function) is tuple:
        reader = rebuild.Reader(*function, _state.shared)
        if function[1]:
            _state.once = list(map(weakref.ref, reader.functions))
        _state.loading = False
        return reader.root
    data = _core.lookup(f"{_state.prefix}{function}")
    made = rebuild.by_name(data) if type(data) is str else rebuild.by_value(data, (), _state.shared)
    if len(functions) >= KEPT:
        del functions[next(iter(functions))]
    functions[function] = made
    _state.loading = False
    return made


def _call(functions, function, args, kwargs):
    if type(args) is bytes:
        args, kwargs = _loads(args, kwargs)
    made = functions.get(function)
    if made is None:
        made = _load(functions, function)
    return made(*args, **dict(kwargs)) if kwargs else made(*args)


class _Ended(BaseException):
    """A task of a chunk has ended the worker. ``answer`` is what to say."""

    def __init__(self, answer):
        self.answer = answer


def _run_chunk(functions, function, first, chunk):
    """Run the tasks of a chunk one after the other: a CHUNK with the answer of each."""
    answers = []
    _state.left = range(first, first + len(chunk))
    for id, args in zip(_state.left, chunk):
        _state.running = id
        _state.left = range(id + 1, first + len(chunk))
        try:
            answers.append((id, _call(functions, function, args, ())))
        except SystemExit as error:
            _send(_state.send, (first, CHUNK, tuple(answers)))
            why = f"it called sys.exit({'' if error.code is None else repr(error.code)})"
            raise _Ended((id, ENDED, why, tuple(_state.left))) from None
        except BaseException as error:
            answers.append(describe_error(id, error))
            _state.loading = False
    _state.left = ()
    return first, CHUNK, tuple(answers)


def report_end():
    """Say that the worker has ended in the midst of a task. For its thread, afterwards. Raises if there is none."""
    if _state.running is None:
        raise LookupError("no task")
    _state.send((_state.running, ENDED, "its loop was interrupted", tuple(_state.left)))
    _state.running = None


REFUSALS = ("does not support loading in subinterpreters", "cannot load module more than once per process")


def describe_error(id, error):
    """The answer that says that a task has raised.

    Its last item: 0, or if that is because a module cannot be loaded here 1, or 2 if the function could not be made."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        message = str(error)
    except Exception as failure:
        message = f"<str() raised {type(failure).__qualname__}>"
    data = None
    try:
        data = _pickles().dumps(error)
    except BaseException:
        pass  # it goes as a RemoteError
    return id, RAISED, data, name, message, _traceback(error), _refused(error) * (1 + _state.loading)


def _refused(error):
    for _ in range(100):  # a chain may be a ring
        if error is None:
            break
        if isinstance(error, ImportError) and any(text in str(error) for text in REFUSALS):
            return True
        error = error.__cause__ or error.__context__
    return False


def _traceback(error):
    """The text of a traceback, without the frames of this file."""
    import traceback

    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    try:
        return "".join(traceback.format_exception(type(error), error, trace))
    except Exception as failure:
        return f"{type(error).__qualname__}: <no traceback: {type(failure).__qualname__}>\n"
