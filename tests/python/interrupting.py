"""Interrupts at each place where Ctrl-C may strike, one after the other. Standard library only: scripts import it."""

import dis
import sys
from pathlib import PurePath


class Interrupt(BaseException):
    """As KeyboardInterrupt, and from nowhere else."""


class At:
    """Raises Interrupt in the block at the n-th place where CPython would run a signal handler: as a function begins,
    after a call, at a jump backward. Only files in the folder of this name, or in a folder below it, count. `struck`:
    whether it did.

    Signal handlers do not run between other instructions, so to raise there would show what cannot happen.
    """

    def __init__(self, n, folder):
        self.left = n
        self.folder = folder
        self.struck = False
        self.before = {}  # frame: the name of the instruction before

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
            self.before[frame] = ""  # a call that raises is not followed by a look at signals
        elif event == "return":
            self.before.pop(frame, None)
        return self._trace

    def _place(self):
        self.left -= 1
        if self.left == 0:
            self.struck = True
            sys.settrace(None)
            raise Interrupt
