"""Helpers of the tests of xichan.descriptor(). Scripts import this module, too."""

import os
import socket

import xichan

from . import run_loop

SENDS = {
    "send": lambda tx, value: tx.send(value),
    "send_nowait": lambda tx, value: tx.send_nowait(value),
    "send_many": lambda tx, value: tx.send_many([value]),
    "select": lambda tx, value: xichan.select([(tx, value)]),
    "asend": lambda tx, value: run_loop(tx.asend(value)),
    "asend_many": lambda tx, value: run_loop(tx.asend_many([value])),
    "aselect": lambda tx, value: run_loop(xichan.aselect([(tx, value)])),
}


def open_descriptors():
    """Return what each open descriptor of the process refers to, by number."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # that of listdir()
            pass
    return found


def same_file(one, other):
    """Return whether two descriptors refer to the same open pipe, socket or file."""
    return os.path.sameopenfile(one, other)


def is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def has_peer(end):
    """Return whether the other end of a connected socket is open. `end` has received no data."""
    end.setblocking(False)
    try:
        return end.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True


class Line:
    """A connected socket, which was made a Descriptor, and its other end."""

    def __init__(self):
        one, self.end = socket.socketpair()
        with one:
            self.descriptor = xichan.descriptor(one)

    def is_open(self):
        return has_peer(self.end)

    def check(self, received):
        """Check that a received Descriptor is the one that was sent, and close it."""
        assert type(received) is xichan.Descriptor and received is not self.descriptor and self.is_open()
        with received.socket() as made:
            self.end.setblocking(True)
            made.sendall(b"hello")
            assert self.end.recv(100) == b"hello"
        assert not self.is_open()

    def check_sent(self):
        assert self.descriptor.closed and repr(self.descriptor) == "<xichan.Descriptor sent>"

    def check_usable(self):
        """Check that the sender still owns it."""
        assert not self.descriptor.closed and xichan.is_shareable(self.descriptor) and self.is_open()


class Held:
    def __init__(self, descriptor):
        self.descriptor = descriptor
