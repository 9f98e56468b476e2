"""Functions that workers import in the tests of pools. Standard library and xichan only."""

import re
import sys
import threading

import xichan


class Unpicklable(Exception):
    """An exception that cannot be unpickled from its args."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")
        self.function = len  # not shareable, so that it is pickled


class BadStr(Exception):
    def __str__(self):
        raise RuntimeError("str() fails")


class Picky:
    """Can be pickled, but not unpickled."""

    def __reduce__(self):
        return _refuse, ()


def _refuse():
    raise ValueError("unpickling fails")


class Registered:
    def __init__(self, end):
        self.end = end


xichan.register(Registered, lambda registered: [registered.end], lambda value: Registered(*value))


def identity(value):
    return value


def square(number):
    return number * number


def call_with(*args, **kwargs):
    return args, tuple(kwargs.items())


def divide(dividend, divisor):
    return dividend / divisor


def raise_it(error):
    raise error


def raise_unpicklable(*args):
    raise Unpicklable(1, 2)


class NeedsPlace(Exception):
    """An exception that is not made from its args."""

    def __init__(self, number, *, place):
        super().__init__(f"{number} at {place}")
        self.place = place


def raise_with_parts(number=3):
    try:
        raise KeyError("inner")
    except KeyError as inner:
        error = NeedsPlace(number, place=["here"])
        error.add_note("a note")
        raise error from inner


def assert_has_parts(error, number):
    """Check what raise_with_parts() raised in another interpreter."""
    assert type(error) is NeedsPlace and error.args == (f"{number} at ['here']",) and error.place == ["here"]
    assert error.__notes__ == ["a note"]
    assert type(error.__cause__) is KeyError and error.__cause__.args == ("inner",)
    text = str(error.__cause__.__cause__)
    assert "in raise_with_parts" in text and "NeedsPlace" in text and "KeyError: 'inner'" in text


async def fail_later(*args, **kwargs):
    raise ValueError("disk full")


def fail(*args, **kwargs):
    raise ValueError("disk full")


def raise_bad_str():
    raise BadStr


def raise_local():
    class Local(Exception):
        pass

    raise Local("from here")


def interpreter_id():
    from concurrent import interpreters

    return interpreters.get_current().id


def block(started, release):
    """Signal the start on `started`, then block until `release` delivers the result."""
    started.send(interpreter_id())
    return release.recv()


def record_square(tx, number):
    """Report that this runs, and return the square."""
    tx.send(number)
    return number * number


def send_through(tx, value):
    tx.send(value)


def make_list(number):
    return list(range(number))


class FailsToLoad:
    def __reduce__(self):
        return fail_to_load, ()


def fail_to_load():
    raise KeyError("broken")


def make_pattern(number):
    return re.compile(str(number))


def make_picky():
    return Picky()


def leave(code=None):
    sys.exit(code)


def leave_at(place, number):
    if number == place:
        sys.exit(f"at {place}")
    return number


def spoil(tx, number):
    """Send a number, then return, raise or exit, depending on the number."""
    tx.send(number)
    match number % 7:
        case 0:
            raise ValueError(number)
        case 1:
            raise Unpicklable(number, number)
        case 2:
            return [number]
        case 3:
            return Picky()
        case 4 if number % 97 == 0:
            sys.exit(number)
    return number


def repeat(data, number):
    return data * number


def raise_long(number):
    raise ValueError("x" * number)


def leave_long_at(place, number, length):
    if number == place:
        sys.exit("x" * length)
    return number


class BadRepr:
    def __repr__(self):
        raise ValueError("repr() fails")


def leave_with_bad_repr():
    sys.exit(BadRepr())


def leave_with_bad_repr_at(place, number):
    return leave_with_bad_repr() if number == place else number


class StrSubclass(str):
    pass


class ErrorWithStrSubclass(Exception):
    def __init__(self, one, two):
        pass

    def __str__(self):
        return StrSubclass("a str of a subclass")


def raise_str_subclass():
    raise ErrorWithStrSubclass(1, 2)


def closed_endpoint_if(closed):
    if not closed:
        return 0
    tx, _ = xichan.channel(1)
    tx.close()
    return [tx] if isinstance(closed, list) else tx


def pattern_if(wanted):
    return re.compile("x") if wanted else 0


def _leave_now():
    raise SystemExit("while unpickling")


class LeavesWhenUnpickled:
    def __reduce__(self):
        return _leave_now, ()


class ErrorThatLeavesWhenUnpickled(Exception):
    def __reduce__(self):
        return _leave_now, ()


def leaves_when_unpickled():
    return LeavesWhenUnpickled()


def raise_leaving_when_unpickled():
    raise ErrorThatLeavesWhenUnpickled(len)  # a function is not shareable, so that it is pickled


def initialize(tx, value):
    import __main__

    __main__.initialized = value
    tx.send(interpreter_id())


def fail_to_initialize():
    raise ZeroDivisionError("not today")


def initialized():
    import __main__

    return __main__.initialized


def main_name(name):
    import __main__

    return getattr(__main__, name)


def send_from_main(name, value):
    main_name(name).send(value)


def break_loop():
    """Make the loop of the worker itself fail during a task."""
    from xichan.pool import worker

    def interrupted(*args):
        raise RuntimeError("the loop was interrupted")

    worker.report = interrupted


def break_loop_at(place, number):
    """Make the loop of the worker fail in a chunk, where it cannot report the exception of its task either."""
    if number == place:
        from xichan.pool import worker

        worker.raised = None
        raise ValueError(number)
    return number


def start_thread(started, release):
    threading.Thread(target=block, args=(started, release)).start()


def memory():
    return xichan.memory_stats().bytes


def _end_in(value):
    while isinstance(value, (tuple, list)):
        value = value[-1]
    return value


def send_then_fail(end):
    _end_in(end).send("row 1")
    raise ValueError("disk full")


def send_then_return(end):
    end.send("row 1")


def send_if_main(end):
    import faulthandler  # noqa: F401, refuses subinterpreters

    end.send("row 1")


def send_then_exit(end):
    end.send("row 1")
    raise SystemExit(1)


def receive_then_fail(end):
    end.recv()
    raise ValueError("enough")


def send_and_fail_if_odd(number, end):
    end.send(number)
    if number % 2:
        raise ValueError("odd")


def loaded(module):
    return module in sys.modules


def names():
    """Return the name of this thread for Python, in records of logging, and for the operating system."""
    import logging

    record = logging.LogRecord("", 0, "", 0, "", (), None)
    with open(f"/proc/self/task/{threading.get_native_id()}/comm") as file:
        return threading.current_thread().name, record.threadName, file.read().rstrip("\n")
