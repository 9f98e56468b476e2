"""What runs in a worker interpreter: take a task, run it, answer, until the channel of tasks is finished.

A task is (id, function, args, kwargs):

* function: a number, under which its description is published, ``"module:qualified.name"`` or bytes for
  ``rebuild.by_value``; or a tuple of such bytes and what belongs beside them, and then what is made of it serves once;
* args: a tuple; or bytes, the pickle of (args, kwargs), and then kwargs is what belongs beside it;
* kwargs: a tuple of pairs, or None;
* or a chunk: id is that of the first, args a tuple of the args of each, and kwargs their number.

An answer is (id, value), or one of those below, or if there is no memory for one the id alone. A worker that has to end
says so in its last answer.

1. From when a task is taken until its answer is sent, `_state.running` is its id; of a chunk, `answers` has those that
   are not sent and `left` the ids that have not begun. Whatever ends the worker in between, the thread in the main
   interpreter that lends itself to this one has the last word: it calls ``report_end``. Of two answers for an id the
   first counts.
2. Between tasks nothing of a task is kept, except functions that came without ends: an end that a task was given is
   closed when the task is over.
"""

import gc
import sys
import weakref

from .. import _core
from .._errors import ChannelFull, NotShareableError
from . import rebuild
from .remote import describe_error, traceback_of

PICKLED = 0  # (id, PICKLED, data, beside)
RAISED = 1  # (id, RAISED, (data, beside) or None, type name, message, traceback, refused), see remote.describe_error
CHUNK = 2  # (id of the first, CHUNK, answers)
ENDED = 3  # (id, ENDED, why, ids of a chunk that have not begun)

KEPT = 256  # functions that a worker keeps


class _State:
    running = None  # the id of the task
    loading = False  # its function
    once = None  # weak references to the functions that came with it and serve for it alone
    answers = ()  # of the same chunk, before it
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
        raise InitializerFailed(traceback_of(error)) from None


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
            answer = (id, ENDED, _why(error), ())
        except BaseException as error:
            answer = _raised(id, error)
        task = function = args = kwargs = found = None  # (2)
        _send(send, answer)
        state.running = None
        state.loading = False
        state.answers = ()
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
    """Send an answer, or what the matter is with it."""
    try:
        send(answer)
    except BaseException as error:
        _send_otherwise(send, answer, error)


def _send_otherwise(send, answer, error):
    id, kind, *rest = answer
    if rest and kind == CHUNK:
        for one in rest[0]:
            _send(send, one)
    elif rest and kind == RAISED and rest[0] is not None:
        _send(send, (id, RAISED, None, *rest[1:]))
    elif isinstance(error, MemoryError):
        send(id)  # which needs no block
        if rest and kind == ENDED:
            for one in rest[1]:
                send(one)
    elif rest and kind != PICKLED:  # nothing but text and numbers: the channel of the answers is no more
        raise error
    elif isinstance(error, NotShareableError) and not rest:
        _send(send, _pickle(answer, error))
    else:  # an end in the value is closed, or it is too large
        _send(send, _raised(id, error))


def _raised(id, error):
    """The answer that says that a task has raised.

    Its last item: 0, or if that is because a module cannot be loaded here 1, or 2 if the function could not be made."""
    *parts, refused = describe_error(error, _pickles().dumps)
    return id, RAISED, *parts, refused * (1 + _state.loading)


def _why(leaving):
    """What a SystemExit says."""
    if leaving.code is None:
        return "it called sys.exit()"
    try:
        code = str.__str__(repr(leaving.code))
    except BaseException as failure:
        code = f"<repr() raised {type(failure).__qualname__}>"
    return f"it called sys.exit({code})"


def _pickle(answer, error):
    id, value = answer
    if not _state.pickle:
        message = str(error).replace("value[1]", "result", 1)
        return _raised(id, NotShareableError(f"{message}, and the pool does not pickle"))
    try:
        return id, PICKLED, *_pickles().dumps(value)
    except BaseException as failure:
        failure.add_note(f"while the result, of type {type(value).__qualname__}, was pickled")
        return _raised(id, failure)


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
    answers = _state.answers = []
    _state.left = range(first, first + len(chunk))
    for id, args in zip(_state.left, chunk):
        _state.running = id
        _state.left = range(id + 1, first + len(chunk))
        try:
            answers.append((id, _call(functions, function, args, ())))
        except SystemExit as error:
            _send(_state.send, (first, CHUNK, tuple(answers)))
            raise _Ended((id, ENDED, _why(error), tuple(_state.left))) from None
        except BaseException as error:
            answers.append(_raised(id, error))
            _state.loading = False
    return first, CHUNK, tuple(answers)


def report_end():
    """Say that the worker has ended in the midst of a task. For its thread, afterwards. Raises if there is none."""
    if _state.running is None:
        raise LookupError("no task")
    for answer in (*_state.answers, (_state.running, ENDED, "its loop was interrupted", tuple(_state.left))):
        try:
            _state.send(answer)
        except BaseException as error:
            _send_otherwise(_state.send, answer, error)
    _state.running = None
