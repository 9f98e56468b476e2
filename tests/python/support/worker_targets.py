"""Tasks and targets for the tests of interrupts and Workers, in a module that workers import quickly."""

import threading

import xichan


def spin(ready=None):
    if ready is not None:
        ready.send(None)
    while True:
        pass


def square(n):
    return n * n


def serve(tx=None):
    """Report the worker's names, and run until it is stopped."""
    me = xichan.worker()
    if tx is not None:
        tx.send((me.index, me.name, threading.current_thread().name, me.stopping))
    me.ready()
    assert me.wait_stop()
    assert me.stopping


def fail():
    raise ValueError("broken")


def fail_at_import():
    import no_such_module_exists  # noqa: F401


def serve_and_spin():
    xichan.worker().ready()
    while True:
        pass
