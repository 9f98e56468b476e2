"""Programs that the tests of xichan.top watch, and copies of pages."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import textwrap

from xichan.top import layout
from xichan.top.page import Page, PageError, open_page

from . import environment, wait_until

# Blocks in a receive of the main thread; no other thread exists.
ALONE = """
import xichan
jobs, rx = xichan.channel(8, name="jobs")
never_tx, never = xichan.channel(1, name="never")
jobs.send_many([1, 2, 3])
rx.recv()
counter = xichan.AtomicInt(7, name="counter")
print("ready", flush=True)
never.recv()
"""

# A thread is blocked; the main thread computes until it is told to end.
BUSY = """
import threading, xichan
jobs, rx = xichan.channel(8, name="jobs")
never_tx, never = xichan.channel(1, name="never")
stop = threading.Thread(target=never.recv, daemon=True)
stop.start()
while not any(channel.waiting_receivers for channel in xichan.channels()):
    pass
print("ready", flush=True)
while True:
    jobs.send(1)
    rx.recv()
"""


@contextlib.contextmanager
def watched(source, *options, **variables):
    """Run a program until it prints "ready"; kill it in the end."""
    with subprocess.Popen(
        [sys.executable, *options, "-c", textwrap.dedent(source)],
        env=environment() | variables,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def stopped(process):
    """Stop a process meanwhile."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def snapshot_when(page, condition):
    """Take snapshots until one satisfies the condition; return it."""
    found = page.snapshot()

    def holds():
        nonlocal found
        found = page.snapshot()
        return condition(found)

    wait_until(holds)
    return found


def named(rows, name):
    """Return the only row with this name."""
    (row,) = [row for row in rows if row.name == name]
    return row


def own_page():
    """Return the bytes of the page of this process, as if it took no snapshots on request."""
    with open_page(os.getpid()) as page:
        page.snapshot()
        data = bytearray(page.memory[:])
    data[layout.PUBLISHER_AT : layout.PUBLISHER_AT + 4] = bytes(4)
    return data


@contextlib.contextmanager
def page_of(data, name="xichan", seals=fcntl.F_SEAL_SHRINK):
    """Open a page with this content, as one of this process. Raises PageError."""
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.write(descriptor, data)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        with Page(os.getpid(), f"/proc/{os.getpid()}/fd/{descriptor}") as page:
            yield page
    finally:
        os.close(descriptor)


def refusal(function, *arguments):
    """Return the message of the PageError that a call raises."""
    try:
        function(*arguments)
    except PageError as error:
        return str(error)
    raise AssertionError("no PageError")
