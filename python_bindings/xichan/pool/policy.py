"""Which tasks run in the main interpreter, and that they do. See xichan.dispatch.

1. A task run here is an entry of the crew like any other, under its id, and ends by the same ``deliver``, ``fail`` and
   ``drop``. Until it is over it is in `here` of the crew; who takes it there runs it, or cancels it.
2. The collector of the crew gives tasks to the threads here, and nobody else: Ctrl-C does not come to it, and might
   leave ThreadPoolExecutor with its locks taken.
3. What was learnt only ever grows, under ``_lock``; submitting reads it without.
"""

import collections
import functools
import re
import threading
import types
from concurrent.futures import ThreadPoolExecutor

from .functions import importable, label
from .locks import taking

_REFUSING = re.compile(r"module '?([\w.]+)'? does not support loading in subinterpreters")
AT_CALL, AT_LOAD = 1, 2  # when a worker met the refusal: while it called the function, or before it had it


class Policy:
    """``main_only`` and ``anywhere`` as for Dispatcher. Any thread may use it."""

    def __init__(self, main_only=(), anywhere=(), max_threads=None):
        self._main_only = frozenset(map(_name, _listed("main_only", main_only)))
        self._anywhere = frozenset(map(_name, _listed("anywhere", anywhere)))
        self._threads = ThreadPoolExecutor(max_threads, "xichan-main")  # none yet
        self._used = False
        self._lock = threading.Lock()
        self._modules = {}  # that were refused: why
        self._functions = {}  # (name, names of callables among the args): why
        self._reasons = collections.Counter()
        self._in_workers = 0

    def count(self, number, reasons=(), sign=1):
        """So many tasks are sent to workers, and one is run here for each reason; sign -1: or not after all."""
        for _ in taking(self._lock):
            try:
                self._in_workers += sign * number
                for reason in reasons:
                    self._reasons[reason] += sign
            finally:
                self._lock.release()

    def reason(self, fn, args, kwargs, modules):
        """Why a call has to be made here, or None."""
        names = [_name(fn), *modules]
        if found := _match(self._anywhere, names):
            return None
        if found := _match(self._main_only, names):
            return f"main_only: {found}"
        if found := _match(self._modules, names):
            return self._modules[found]
        return self._functions.get(_key(fn, args, kwargs)) if self._functions else None

    def is_anywhere(self, fn, modules):
        """Whether a call is never made here."""
        return bool(self._anywhere) and _match(self._anywhere, [_name(fn), *modules]) is not None

    def refused(self, crew, entry, id, message, when):
        """A worker could not load what a task needs: remember that, and run the task here. False if it must not be."""
        fn, args, kwargs = entry.call_of(id)
        found = _REFUSING.search(message)
        module = found[1] if found else None
        if module is not None and _match(self._anywhere, [module]):
            return False
        why = f"{module or 'a module'} does not support loading in subinterpreters"
        with self._lock:
            if module is not None:
                self._modules.setdefault(module.partition(".")[0], why)
            home = importable(fn)
            if when == AT_LOAD and home is not None:
                self._modules.setdefault(home.partition(":")[0], why)
            self._functions.setdefault(_key(fn, args, kwargs), why)
            self._in_workers -= 1
            self._reasons[why] += 1
        crew.here[id] = False
        self.run(crew, id)
        return True

    def run(self, crew, id):
        """Have a thread run a task that is in `here`. (2)"""
        if not self._used:
            self._used = True
            crew.closing.append(functools.partial(self._threads.shutdown, wait=False))
        try:
            self._threads.submit(_call, crew, id)
        except Exception as error:  # no thread, no memory, or the end of the program
            crew.here.pop(id, None)
            crew.fail(id, error)

    def join(self):
        """Wait for what runs here; the crew has been waited for, so nothing can follow."""
        self._threads.shutdown()

    def stats(self):
        for _ in taking(self._lock):
            try:
                reasons = {reason: number for reason, number in self._reasons.items() if number}
                return {"in_workers": self._in_workers, "in_main": sum(reasons.values()), "reasons": reasons}
            finally:
                self._lock.release()


def _call(crew, id):
    entry = crew.take_here(id)
    if entry is None:
        return  # it has been cancelled
    try:
        fn, args, kwargs = entry.call_of(id)
        value = fn(*args, **kwargs)
    except BaseException as error:
        crew.fail(id, error)
    else:
        crew.deliver(id, value)
    finally:
        crew.here.pop(id, None)
        crew.collector.nudge()
        if crew.stopping:
            crew.collector.ring()


def _listed(name, values):
    if isinstance(values, str):
        raise TypeError(f"{name} must be a collection of names, modules and functions, not a str")
    return values


def _name(thing):
    """A module or function as ``main_only`` names it: the dotted path, or where it was written."""
    if isinstance(thing, str):
        return thing.replace(":", ".")
    if isinstance(thing, types.ModuleType):
        return thing.__name__
    while isinstance(thing, functools.partial):
        thing = thing.func
    name = importable(thing)
    return name.replace(":", ".") if name is not None else label(thing)


def _key(fn, args, kwargs):
    """A call as it is remembered: ``map(apply, functions)`` is a different matter for each of the functions."""
    callables = [value for value in (*args, *kwargs.values()) if callable(value) and not isinstance(value, type)]
    return (_name(fn), *map(_name, callables))


def _match(known, names):
    """The one of `known` that a name is, or lies in."""
    for name in names:
        while name:
            if name in known:
                return name
            name = name.rpartition(".")[0]
    return None
