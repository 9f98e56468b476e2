"""Interrupts at each place where Ctrl-C can take effect. Standard library only, because scripts import this module."""

import dis
import sys
from pathlib import PurePath


class Interrupt(BaseException):
    """Raised in place of KeyboardInterrupt, by InterruptAt only."""


class InterruptAt:
    """Context manager that raises Interrupt at the n-th place where CPython would run a signal handler.

    These places are the start of a function, the return from a call, and a backward jump, in files of the given folder.
    `struck`: whether Interrupt was raised.

    Signal handlers do not run between other instructions, so an exception there would test an impossible case.
    """

    def __init__(self, n, folder):
        self.left = n
        self.folder = folder
        self.struck = False
        self.before = {}  # frame: the name of its previous instruction

    def __enter__(self):
        sys.settrace(self._trace)
        return self

    def __exit__(self, kind, *_):
        sys.settrace(None)
        self.before.clear()
        return kind is Interrupt

    def _trace(self, frame, event, arg):
        if self.folder not in PurePath(frame.f_code.co_filename).parts[-3:-1]:
            return None
        if event == "call":
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
            self._place()
        elif event == "opcode":
            now = dis.opname[frame.f_code.co_code[frame.f_lasti]]
            if self.before.get(frame, "").startswith("CALL") or now.startswith("JUMP_BACKWARD"):
                self._place()
            self.before[frame] = now
        elif event == "exception":
            self.before[frame] = ""  # CPython does not check for signals after a call that raises
        elif event == "return":
            self.before.pop(frame, None)
        return self._trace

    def _place(self):
        self.left -= 1
        if self.left == 0:
            self.struck = True
            sys.settrace(None)
            raise Interrupt
