"""The runner's side of a contender's process: sends commands, waits for replies with a timeout, kills the process."""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time

GRACE = 5.0  # seconds: the watchdog of the host, which prints stacks, fires first


class Lost(Exception):
    """The process hung or exited. The message says which, and ends with what it printed last."""


class HostProcess:
    """The process of one contender. Not thread-safe."""

    def __init__(self, name):
        self.errors = tempfile.TemporaryFile()
        # Without bytecode files each worker would compile what it imports. Installers write them, as a rule; ./dev, and
        # uv by default, leave that to the first import.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "xichan.bench.host", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches the runner only; end() kills all descendants
        )

    def ask(self, do, timeout, **arguments):
        """Execute one command in the host and return its reply. Raises Lost."""
        request = {"do": do, "timeout": timeout, **arguments}
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Lost(f"process exited{self._exit_report()}") from None
        line = self._line(timeout + GRACE)
        return json.loads(line)

    def _line(self, timeout):
        """Return one line of the host's output, its newline included."""
        deadline = time.monotonic() + timeout
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(deadline - time.monotonic(), 0)):
                    raise Lost(f"no reply within {timeout:.0f} s{self._exit_report()}")
                part = os.read(self.process.stdout.fileno(), 65536)
                if not part:
                    self.process.wait()
                    raise Lost(f"process exited{self._exit_report()}")
                line += part
        return line

    def _exit_report(self):
        code = self.process.poll()
        how = f" by signal {-code}" if code is not None and code < 0 else ""
        self.errors.seek(0)
        text = self.errors.read().decode(errors="replace").strip()
        if "Timeout (" in text:
            how = " by its watchdog"
        return f"{how}:\n{text[-1500:]}" if text else how

    def end(self):
        """Kill the process and all its descendants. Idempotent."""
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
