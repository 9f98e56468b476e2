"""Sets up the interpreters of workers, runs workers in them, and closes them."""

from __future__ import annotations

import logging
import sys
import threading
from concurrent import interpreters
from typing import Any

from .. import _core
from .byvalue.importable import worker_path

_logger = logging.getLogger("concurrent.futures")
_CALL = "__import__('xichan.pool.worker_entry').pool.worker_entry.{}"
_PATH = "import sys; sys.path[:] = {}"
_LAZY = "; sys.set_lazy_imports({!r})"


def prepare(interpreter: interpreters.Interpreter, preload: tuple[str, ...]) -> None:
    """Import in a new interpreter what workers need, and then modules. Raises ExecutionFailed.

    Tasks import as the program does: lazily, on CPython 3.15, if it has set that mode. What workers need themselves is
    loaded now, because almost all of it is used for the first task.
    """
    source = f"{_path()}\n{_CALL.format('preload')}({ascii(preload)})"
    if hasattr(sys, "get_lazy_imports"):
        mode = sys.get_lazy_imports()
        source = f"import sys{_LAZY.format('normal')}\n{source}{_LAZY.format(mode)}"
    interpreter.exec(source)


def _path() -> str:
    return _PATH.format(ascii(worker_path()))


def run_interpreter(
    interpreter: interpreters.Interpreter,
    setup: tuple[Any, ...],
    preload: tuple[str, ...] = (),
    *,
    is_prepared: bool = False,
    keep: bool = False,
) -> None:
    """Run the loop of a worker in an interpreter, and close it unless it is kept. setup: see worker_entry.run."""
    try:
        if is_prepared:
            interpreter.exec(_path())  # it may have changed
        else:
            prepare(interpreter, preload)
        name = threading.current_thread().name
        setup_tx, setup_rx = _core._own_channel(f"worker {name!r} setup", 1)
        _core._outlast_exit(setup_rx)
        with setup_tx, setup_rx:
            setup_tx.send((name, *setup))
            interpreter.prepare_main(_xichan_setup=setup_rx)
        try:
            interpreter.exec(f"{_CALL.format('run')}()")
        except interpreters.ExecutionFailed:
            if not _report_end(interpreter):
                raise
    finally:
        if keep:
            interpreter.exec(f"{_CALL.format('reset')}()")
        else:
            close_interpreter(interpreter)


def cause_of(error: BaseException) -> BaseException | str:
    """Return the message of an exception that ended a worker outside its tasks."""
    return error.excinfo.msg or error if isinstance(error, interpreters.ExecutionFailed) else error


def _report_end(interpreter: interpreters.Interpreter) -> bool:
    """Have a worker whose loop failed report its task. Returns False if it cannot."""
    try:
        interpreter.exec(f"{_CALL.format('report_end')}()")
    except interpreters.ExecutionFailed:
        return False
    return True


def close_interpreter(interpreter: interpreters.Interpreter) -> None:
    try:
        interpreter.close()
    except interpreters.InterpreterError:
        _logger.exception("a worker interpreter could not be closed")
