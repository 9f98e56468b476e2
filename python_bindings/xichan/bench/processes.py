"""The process of a contender as the runner sees it: asked, waited for with a watchdog, and ended."""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time

GRACE = 5.0  # seconds for the host's own watchdog, which shows stacks, to be first


class Lost(Exception):
    """The process hung and was ended, or it ended by itself; the text says which and shows its last words."""


class HostProcess:
    """Not for use by several threads."""

    def __init__(self, name):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "xichan.bench.host", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            start_new_session=True,  # Ctrl-C is for the runner; and all that it starts is ended with it
        )

    def ask(self, do, patience, **arguments):
        """Do one command in the host; its answer. Raises Lost."""
        request = {"do": do, "patience": patience, **arguments}
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Lost(f"it ended{self._last_words()}") from None
        line = self._line(patience + GRACE)
        return json.loads(line)

    def _line(self, patience):
        """One line of answer."""
        deadline = time.monotonic() + patience
        answer = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not answer.endswith(b"\n"):
                if not selector.select(max(deadline - time.monotonic(), 0)):
                    raise Lost(f"no answer within {patience:.0f} s{self._last_words()}")
                part = os.read(self.process.stdout.fileno(), 65536)
                if not part:
                    self.process.wait()
                    raise Lost(f"it ended{self._last_words()}")
                answer += part
        return answer

    def _last_words(self):
        code = self.process.poll()
        how = f" by signal {-code}" if code is not None and code < 0 else ""
        self.errors.seek(0)
        text = self.errors.read().decode(errors="replace").strip()
        if "Timeout (" in text:
            how = " by its watchdog"
        return f"{how}:\n{text[-1500:]}" if text else how

    def end(self):
        """End it with all that it has started. Idempotent."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        for file in (self.process.stdin, self.process.stdout, self.errors):
            try:
                file.close()
            except BrokenPipeError:
                pass
