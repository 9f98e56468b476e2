"""Memory of views: failing allocations and leaks."""

import pytest
from support import alive, run_script, viewed
from support.memory import fail_each_allocation, loop_without_leak, run_without_memory

import xichan

VALUE = (1, "text" * 1000, (b"x" * 50_000, (2.5, None)), 2**100, "short")


@pytest.mark.parametrize("how", ["recv_nowait", "recv", "views", "select", "recv_many", "drain"])
def test_value_stays_for_the_next_call_when_no_view_can_be_made(how):
    run_without_memory(
        """
    tx, rx = xichan.channel(8)
    views = rx.views()
    ways = {
        "recv_nowait": lambda: rx.recv_nowait(copy=False), "recv": lambda: rx.recv(copy=False),
        "views": lambda: next(views), "select": lambda: xichan.select([rx], copy=False)[1],
        "recv_many": lambda: rx.recv_many(1, copy=False)[0], "drain": lambda: rx.drain(copy=False)[0],
    }
    receive = ways[sys.argv[1]]
    small = {"text": "x" * 1000, "bytes": b"x" * 1000, "shared": xichan.share((1, 2))}
    for name, value in {**samples(tx, rx), **small}.items():
        for copy_next in (False, True):
            tx.send(value)
            n = 0
            while True:
                done, item = without_memory(n, receive)
                if done:
                    break
                assert not rx.closed
                n += 1
                if copy_next:  # the next call decides in what form it comes
                    item = rx.recv()
                    break
            assert n >= 1, name
            if name != "ends":
                assert type(item) is type(value) if copy_next else item == value, name
                assert item == value, name
            item = None
            assert len(rx) == 0 and rx.drain() == []
    del tx, rx, views, ways, receive, value, small
    assert left_over(before) == {}, left_over(before)
    """,
        how,
    )


def test_views_survive_python_running_out_of_memory():
    run_without_memory("""
    import copy, pickle
    from support import viewed
    VALUE = (1, "text" * 1000, (b"x" * 50_000, (2.5, None)), 2**100, "short", b"y" * 600)
    view = viewed(VALUE)
    data, text, shared, other = view[2][0], view[1], xichan.share(VALUE), viewed(VALUE)
    tx, rx = xichan.channel(4)
    operations = {
        "item": lambda: (view[0], view[1], view[2], view[3], view[4], view[5]),
        "slice": lambda: (view[1:], view[::-1], data[1:], data[::-1], text[1:]),
        "value": lambda: (view.value(), view[::2].value(), data.value(), text.value(), shared.value()),
        "iterate": lambda: (list(view), list(data[:20])),
        "compare": lambda: (view == VALUE, view == other, data == bytes(data), shared == other, view < other),
        "hash": lambda: (hash(view[:]), hash(view[1:]), hash(data[1:]), hash(xichan.share(VALUE))),
        "search": lambda: (VALUE[2] in view, view.count("short"), data.count(b"xx"), data.index(120)),
        "repr": lambda: (repr(view), repr(data), repr(shared), repr(xichan.Buffer(5))),
        "add": lambda: (view + VALUE, VALUE + view[::-1]),
        "decode": lambda: (data.decode(), data.hex()),
        "send": lambda: (tx.send((view, view[::2], text, data[5:], shared)), rx.recv()),
        "send on": lambda: (tx.send(view[::-1]), rx.recv(copy=False), tx.send(data[1:]), rx.recv(copy=False)),
        "share": lambda: (xichan.share(VALUE), xichan.share(view[1:]), xichan.share(bytearray(1000)), xichan.share(1)),
        "buffer": lambda: (xichan.Buffer(1000).freeze(), memoryview(xichan.Buffer(10))),
        "memoryview": lambda: (memoryview(data), memoryview(xichan.share(b"x" * 99))),
        "copy": lambda: (copy.copy(view), copy.copy(data), copy.copy(text), copy.copy(shared)),
        "views": lambda: rx.views(),
        "is_shareable": lambda: xichan.is_shareable((view, text, view[::2])),
    }
    expected = alive()
    for name, operation in operations.items():
        for n in range(2000):
            done, result = without_memory(n, operation)
            result = None
            while len(rx):
                rx.recv()
            rx.drain()
            if done:
                break
        assert done and n >= 1, (name, n)
        assert alive() == expected, (name, alive(), expected)
    assert view == VALUE and view.value() == VALUE
    """)


@pytest.mark.parametrize(
    "operation",
    {
        "send": lambda tx, view: tx.send((view[::2], view[2:], view[1])),
        "send alone": lambda tx, view: tx.send(view[::-1]),
        "send a part": lambda tx, view: tx.send(view[2]),
        "share": lambda tx, view: xichan.share(VALUE),
        "share small": lambda tx, view: xichan.share(1),
        "share a buffer": lambda tx, view: xichan.share(bytearray(1000)),
        "Buffer": lambda tx, view: xichan.Buffer(10),
    }.items(),
    ids=lambda item: item[0],
)
def test_views_survive_each_failing_arena_allocation(operation):
    tx, rx = xichan.channel(2)
    view = viewed(VALUE)
    before = alive()

    def nothing_came_of_it():
        assert len(rx) == 0 and alive() == before and view == VALUE

    fail_each_allocation(lambda: operation[1](tx, view), nothing_came_of_it)
    rx.drain()
    assert alive() == before


LOOPS = {
    "tuples": "view = viewed(VALUE); view[2][1]; view[::2].value(); hash(view); view == VALUE; repr(view)",
    "bytes": "data = viewed(b'x' * 1000); data[5:].value(); hash(data); data == b'y'; memoryview(data)[5:]; 5 in data",
    "text": "text = viewed('\\u20ac' * 1000); hash(text); text.encode(); refused(lambda: int(text)); str(text)",
    "sending on": "tx.send((view0, view0[1:], view0[::-1])); rx.recv(copy=False); tx.send(view0[2]); rx.recv()",
    "shared": "s = xichan.share(VALUE); tx.send((s, s)); rx.recv(copy=False); s.view(); s.value(); hash(s); s == VALUE",
    "refused": "refused(lambda: tx.send((view0[::2], len))); refused(lambda: view0[99]); refused(lambda: view0 + 0)",
    "buffer": "b = xichan.Buffer(1000); memoryview(b)[0] = 5; b.freeze(); xichan.Buffer(5); refused(b.freeze)",
    "copies": "copy.copy(view0); pickle.loads(pickle.dumps((view0, view0[1], view0[2][0], shared0)))",
    "iterators": "rx.views(); list(view0); list(view0[2][0][:9]); weakref.ref(view0[1]); weakref.ref(view0[2])",
}


@pytest.mark.parametrize("name", LOOPS)
def test_views_leak_no_memory(name):
    loop_without_leak(
        LOOPS[name],
        """
        from support import viewed
        VALUE = (1, "text" * 1000, (b"x" * 5000, (2.5, None)), 2**100, "short", b"y" * 600)
        view0, shared0 = viewed(VALUE), xichan.share(VALUE)
        """,
        rounds=3000,
    )


def test_view_may_outlive_its_module():
    run_script("""
    import sys, xichan
    from support import viewed
    view = viewed((1, "x" * 1000, (2, b"y" * 1000)))
    for name in [name for name in sys.modules if name.startswith("xichan")]:
        del sys.modules[name]
    del xichan, viewed, sys.modules["support"]
    import gc
    gc.collect()
    assert view[2][1][:2] == b"yy" and view[1] == "x" * 1000 and view.value()[0] == 1 and hash(view)
    kept = view[2]
    del view
    """)
