"""Descriptors where memory is short, and what remains of them."""

import pytest
from support import alive, left_over
from support.descriptors import Line
from support.memory import run_without_memory

import xichan

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


@pytest.mark.parametrize("how", ["rx.recv", "rx.recv_nowait", "lambda: rx.recv_many(1)[0]", "lambda: rx.drain()[0]"])
def test_receive_without_memory_loses_nothing(how):
    run_without_memory(
        """
    import os
    from support.descriptors import open_descriptors
    tx, rx = xichan.channel(8)
    receive = eval(sys.argv[1])
    wraps = (lambda d: d, lambda d: [d, "second, which needs memory", ["third, which does as well"] * 3],
             lambda d: ["first, which needs memory", {"key": (2.5, d)}, d])
    before_descriptors = len(open_descriptors())
    for number, wrap in enumerate(wraps):
        tx.send(wrap(xichan.descriptor(1)))
        n = 0
        while True:
            done, value = without_memory(n, receive)
            if done:
                break
            n += 1
        assert n > 0
        received = value if number == 0 else value[0] if number == 1 else value[2]
        assert os.path.sameopenfile(received.fileno(), 1)
        received.close()
        assert len(open_descriptors()) == before_descriptors
        value = received = None
    tx.close()
    del tx, rx, receive, wraps, wrap
    assert left_over(before) == {}
    """,
        how,
    )


def test_send_and_use_without_memory_lose_nothing():
    run_without_memory("""
    import os, socket
    from support.descriptors import open_descriptors
    one, other = socket.socketpair()
    tx, rx = xichan.channel(8)
    xichan.descriptor(one).socket().close()
    xichan.descriptor(one).open("wb").close()
    before_descriptors = len(open_descriptors())

    def until_done(call):
        n = 0
        while True:
            done, value = without_memory(n, call)
            if done:
                return value
            assert not descriptor.closed and not len(rx)
            n += 1

    for wrap in (lambda d: d, lambda d: [d, [d]]):
        descriptor = xichan.descriptor(one)
        value = wrap(descriptor)
        until_done(lambda: tx.send_nowait(value))
        rx.recv() if value is descriptor else rx.recv()
    for use in (lambda d: d.socket(), lambda d: d.open("wb"), lambda d: d.open("w"), lambda d: d.open("wb", 0)):
        descriptor = xichan.descriptor(one)
        until_done(lambda: use(descriptor)).close()
        assert len(open_descriptors()) == before_descriptors
    descriptor = xichan.descriptor(one)
    os.close(until_done(descriptor.detach))
    descriptor = xichan.descriptor(one)
    until_done(lambda: xichan._core._new_descriptor(descriptor)).close()
    descriptor.close()
    assert len(open_descriptors()) == before_descriptors
    """)


def test_nothing_stays_alive(line):
    before = alive()
    tx, rx = xichan.channel()
    tx.send([line.descriptor])
    line.check(rx.recv()[0])
    other = Line()
    with other.end:
        tx.send(other.descriptor)
        del tx, rx
        assert not other.is_open()
    assert left_over(before) == {}
