"""Programs that tests start and interrupt."""

import signal
import subprocess
import sys
import time

from . import PATIENCE, environment

# The shell that runs the tests may ignore SIGINT.
LAUNCHER = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.executable, sys.argv[1:])"
)


def interrupt_program(path):
    """Run a program, interrupt it after it has printed "begun", and return its exit status and what it printed.

    The pause lets it reach the call in which it waits; what a test expects holds wherever the signal arrives.
    """
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, sys.executable, path],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "begun\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        try:
            output = process.communicate(timeout=PATIENCE - 5)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return process.returncode, output
