"""Tasks and targets for the tests of interrupts and Workers, in a module that workers import quickly."""

import selectors
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


def greet(descriptor, name="you"):
    """Write to a socket, and return it."""
    with descriptor.socket() as connection:
        connection.sendall(f"hello {name}".encode())
        return xichan.descriptor(connection)


def return_descriptor(descriptor):
    return descriptor


def serve_descriptor(connections, ready=None, gate=None):
    """Greet each connection; or report to be running, and wait until the gate is closed."""
    if connections is None:
        ready.send(None)
        list(gate)
        return
    for message in connections:
        with message["c"].socket() as connection:
            connection.sendall(b"hello")


def answer(listener):
    """Accept connections until the worker is stopped, and send each the index of the worker."""
    me = xichan.worker()
    descriptor = listener["listener"] if type(listener) is dict else listener
    with descriptor.socket() as listening, selectors.DefaultSelector() as selector:
        try:
            listening.setblocking(False)
            selector.register(listening, selectors.EVENT_READ)
            selector.register(me.fileno(), selectors.EVENT_READ)
        except OSError:
            return
        me.ready()
        while not me.stopping:
            me.fileno()
            selector.select(10)
            try:
                connection, _ = listening.accept()
            except OSError:
                continue
            with connection:
                connection.setblocking(True)
                connection.sendall(str(me.attempt or me.index).encode())


def answer_and_fail_once(descriptor):
    if xichan.worker().attempt == 0:
        raise ValueError("the first attempt")
    answer(descriptor)
