"""Interrupts at each place where Ctrl-C can take effect. Standard library only, because scripts import this module."""

import dis
import functools
import sys
import threading
from pathlib import PurePath

_monitoring = sys.monitoring
_events = _monitoring.events


@functools.cache
def _folders(filename):
    """Return the names of the folder that contains a file and of the folder above it."""
    return PurePath(filename).parts[-3:-1]


class Interrupt(BaseException):
    """Stands for KeyboardInterrupt. Nothing else raises it."""


class InterruptAt:
    """Raises Interrupt in the block at the n-th place where CPython would run a signal handler: where a function
    begins, after a call, at a jump backward. Only code in the folder of this name, or in a folder below it, counts.
    `struck`: whether the block had that many places.

    Signal handlers do not run between other instructions, so to raise there would show what cannot happen.
    sys.settrace() does not serve: it reports the instructions of a function from its second call on.
    """

    def __init__(self, n, folder):
        self.left = n
        self.folder = folder
        self.struck = False
        self.thread = threading.get_ident()
        self.before = {}  # frame: the name of its previous instruction

    def __enter__(self):
        callbacks = {
            _events.PY_START: self._start,
            _events.PY_RESUME: self._start,
            _events.INSTRUCTION: self._instruction,
            _events.EXCEPTION_HANDLED: self._handled,
        }
        tool = _monitoring.DEBUGGER_ID
        _monitoring.use_tool_id(tool, "interrupting")
        for event, callback in callbacks.items():
            _monitoring.register_callback(tool, event, callback)
        _monitoring.set_events(
            tool, _events.PY_START | _events.PY_RESUME | _events.INSTRUCTION | _events.EXCEPTION_HANDLED
        )
        _monitoring.restart_events()
        return self

    def __exit__(self, kind, *_):
        self._stop()
        self.before.clear()
        return kind is Interrupt

    def _stop(self):
        tool = _monitoring.DEBUGGER_ID
        if _monitoring.get_tool(tool) is not None:
            _monitoring.set_events(tool, 0)
            _monitoring.free_tool_id(tool)

    def _start(self, code, offset):
        return self._place() if self._counts(code) else _monitoring.DISABLE

    def _instruction(self, code, offset):
        if not self._counts(code):
            return _monitoring.DISABLE
        if threading.get_ident() == self.thread:
            frame = sys._getframe(1)
            now = dis.opname[code.co_code[offset]]
            before = self.before.get(frame, "")
            self.before[frame] = now
            if before.startswith("CALL") or now.startswith("JUMP_BACKWARD"):
                self._place()

    def _handled(self, code, offset, error):
        self.before.pop(sys._getframe(1), None)  # no signal is handled after a call that raises

    def _counts(self, code):
        return self.folder in _folders(code.co_filename)

    def _place(self):
        if threading.get_ident() != self.thread:
            return
        self.left -= 1
        if self.left == 0:
            self.struck = True
            self._stop()
            raise Interrupt


class CallAt(InterruptAt):
    """Calls a function in the block at the n-th place, as a signal handler would. every: at each n-th instruction
    instead, as a trace function could.
    """

    def __init__(self, n, folder, function, every=False):
        super().__init__(n, folder)
        self.function = function
        self.every = every

    def _instruction(self, code, offset):
        if self.every and self._counts(code):
            self._place()
            return None
        return super()._instruction(code, offset)

    def _place(self):
        if threading.get_ident() != self.thread:
            return
        self.left -= 1
        if self.left == 0:
            self.struck = True
            self._stop()
            self.function()
