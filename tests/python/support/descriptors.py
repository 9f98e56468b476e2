"""Helpers of the tests of xichan.descriptor(). Scripts import this module, too."""

import os
import socket


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
