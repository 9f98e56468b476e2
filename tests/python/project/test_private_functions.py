"""Every function and type of the compiled module, called with hostile arguments: an exception, never a crash.

The calls run in another process, which prints each call before it makes it.
"""

import pytest
from support import run_script

SETUP = """
    import gc, io, itertools, random, sys, threading
    import xichan
    from xichan import _core
    from support import viewed

    class Index:
        "Runs Python code in the middle of argument parsing."
        def __init__(self, *actions): self.actions = actions
        def __index__(self):
            for action in self.actions: action()
            return 1

    class Hostile:
        "Raises from every protocol."
        def refuse(self, *args, **kwargs): raise RuntimeError("hostile")
        __index__ = __iter__ = __len__ = __getitem__ = __eq__ = __bool__ = __buffer__ = __getattr__ = refuse
        __hash__ = object.__hash__

    def make_values():
        tx, rx = xichan.channel(4)
        closed_tx, closed_rx = xichan.channel()
        closed_tx.close(); closed_rx.close()
        queue = xichan.Queue(pickle=True)
        forged = [object.__new__(xichan.Queue) for _ in range(3)]
        forged[1]._parts = (tx, rx, tx, rx, 0)
        forged[2]._parts = (forged[2], tx)
        notifier = _core._Notifier()
        watch = notifier.watch(1, [rx])[0]
        released = notifier.watch(2, [rx])[0]
        released.release(False)
        barrier, event = xichan.Barrier(2), xichan.Event()
        states = [xichan.AtomicInt(), xichan.Cell(1), xichan.Lock(), xichan.Semaphore(), xichan.Condition()]
        states += [event, barrier, barrier._enter(), event._join(notifier, 3)[0]]
        return [
            None, True, 0, 1, -1, 2**31, 2**63, -(2**63) - 1, 2**200, 1.5, float("nan"), "", "text", b"",
            b"bytes" * 200, (), [], {}, [object()], [(tx,)], [(tx, 1, 2)], [(rx, 1)], [tx], [rx], [(tx, 1)],
            [closed_rx], (tx, 1), [[]], object(), int, type, xichan.Queue, xichan.Sender, xichan.Receiver, io.BytesIO,
            type("Q", (), {"_parts": 1}),
            type("Q", (), {"__slots__": ("_parts",)}), type("B", (io.BytesIO,), {"__slots__": ("_parts",)}),
            tx, rx, closed_tx, closed_rx, queue, *forged, queue._parts, queue._parts[:4], queue._parts[::-1],
            viewed(tuple(range(9)))[::2], viewed(b"x" * 999), viewed("x" * 999), xichan.share((1, "x" * 999)),
            xichan.Buffer(8), xichan.descriptor(0), xichan.descriptor(0), notifier, watch, released, *states,
            xichan.channel()[1].views(), iter([1, 2]), Index(), Hostile(),
            Index(rx.close), Index(gc.collect), slice(None), lambda *args: None, sys, _core,
        ]

    # Calls that never return by design, or whose effect on the process would end the test.
    LEFT_OUT = {"set_memory_limit", "_fail_after"}
"""


def test_functions_survive_hostile_arguments():
    run_script(
        SETUP
        + """
    rng = random.Random(int(sys.argv[1]))
    names = [name for name in dir(_core) if callable(getattr(_core, name)) and name not in LEFT_OUT]
    assert {"_register_queue", "_unpickle_end", "_tasks_done", "_add_joiner", "_try_select"} <= set(names)
    calls = 0
    for round in range(40):
        values = make_values()
        for name in names:
            function = getattr(_core, name)
            for count in range(5):
                arguments = [rng.choice(values) for _ in range(count)]
                if name in ("select", "lookup"):  # which block indefinitely for a timeout of None
                    arguments = [rng.choice(values), 0]
                try:
                    function(*arguments)
                except Exception:
                    pass
                calls += 1
        _core._register_queue(xichan.Queue)
    gc.collect()
    q = xichan.Queue()
    tx, rx = xichan.channel()
    tx.send(q)
    assert rx.recv() == q and calls > 2000
    """,
        "1",
        timeout=120,
    )


def test_methods_survive_hostile_arguments():
    run_script(
        SETUP
        + """
    rng = random.Random(int(sys.argv[1]))
    blocking = {"recv", "send", "recv_many", "send_many", "__next__", "lookup", "join", "get", "put"}
    of_states = {"acquire", "wait", "wait_for", "__enter__"}
    calls = 0
    for round in range(12):
        values = make_values()
        for value in values:
            if not type(value).__module__.startswith("xichan"):
                continue
            for name in dir(type(value)):
                if isinstance(value, _core._State) and name in of_states:
                    continue
                if name in blocking or name in ("__class__", "__subclasshook__", "__init_subclass__"):
                    continue
                try:
                    method = getattr(value, name)
                except Exception:
                    continue
                if not callable(method):
                    continue
                for count in range(4):
                    arguments = [rng.choice(values) for _ in range(count)]
                    try:
                        result = method(*arguments)
                        if hasattr(result, "close") and type(result).__name__ == "coroutine":
                            result.close()
                    except Exception:
                        pass
                    calls += 1
    gc.collect()
    assert calls > 2000
    """,
        "1",
        timeout=120,
    )


def test_watch_rejects_invalid_cases():
    run_script("""
    import xichan
    from xichan import _core
    notifier = _core._Notifier()
    tx, rx = xichan.channel()
    for cases in ([object()], [tx], [(rx, 1)], [(tx,)], [(tx, 1, 2)], [()], [None, rx]):
        try:
            notifier.watch(1, cases)
        except TypeError as error:
            assert "a case must be a Receiver or (Sender, value)" in str(error)
        else:
            raise AssertionError(cases)
    try:
        notifier.watch(1, [])
    except ValueError as error:
        assert str(error) == "watch() requires at least one case"
    else:
        raise AssertionError
    watch, ready = notifier.watch(1, [rx])
    watch.release(False)
    watch.release(False)
    try:
        watch.close()
    except ValueError as error:
        assert str(error) == "the watch was released"
    else:
        raise AssertionError
    """)


REPLACED = [
    "property(lambda self: tuple([object.__hash__(self), 'fresh', b'x' * 40]))",
    "property(lambda self: (gc.collect(), parts(self))[1])",
    "None",
    "property(lambda self: 1 / 0)",
]


@pytest.mark.parametrize("replacement", REPLACED)
def test_sending_a_queue_reads_its_slot_not_its_attribute(replacement):
    run_script(f"""
    import gc, xichan
    tx, rx = xichan.channel(None)
    q = xichan.Queue()
    q.put("item")
    parts = xichan.Queue.__dict__["_parts"].__get__
    original = xichan.Queue.__dict__["_parts"]
    xichan.Queue._parts = {replacement}
    for i in range(200):
        tx.send((q, i))
    found = rx.recv_many(200)
    xichan.Queue._parts = original
    assert [i for _, i in found] == list(range(200)) and all(type(handle) is xichan.Queue for handle, _ in found)
    assert found[0][0] == q and found[199][0].get() == "item"
    """)


def test_blocked_calls_hide_the_containers_that_they_fill():
    """Code that changes every list and reads every tuple that it can find, while calls block, disturbs none of them."""
    run_script("""
    import gc, xichan
    from support import Call, wait_for_blocked

    def disturb():
        kept = {id(found), id(calls)}
        for each in gc.get_objects():
            if type(each) is list and id(each) not in kept and any(
                type(item) in (xichan.Receiver, tuple) for item in each
            ) or type(each) is list and not each:
                if not gc.is_tracked(each):
                    continue
                each.clear()
        for each in gc.get_objects():
            if type(each) is tuple:
                hash(each) if all(isinstance(item, (int, str)) for item in each) else None

    found, calls = [], []
    for round in range(20):
        tx, rx = xichan.channel()
        one, two = xichan.channel(), xichan.channel()
        calls[:] = [
            Call(rx.recv_many, 100),
            Call(lambda one=one, two=two: xichan.select([one[1], two[1]])),
            Call(lambda one=one, two=two: xichan.select(case for case in [one[1], two[1]])),
        ]
        wait_for_blocked(rx, receivers=1)
        wait_for_blocked(one[1], receivers=2)
        disturb()
        tx.send_many([1, 2, 3])
        one[0].send(4)
        two[0].send(5)
        first = calls[0].result()
        assert first + (rx.drain() if len(first) < 3 else []) == [1, 2, 3]
        pairs = [call.result() for call in calls[1:]]
        assert sorted(value for _, value in pairs) == [4, 5] or all(type(case) is xichan.Receiver for case, _ in pairs)
    """)


def test_unfinished_records_of_memory_stats_are_invisible():
    run_script("""
    import gc, xichan
    from xichan import _stats
    keep = [xichan.share("x" * size) for size in (100, 1000, 10_000)]
    xichan.memory_stats()
    before = _stats.MemoryClass.__init__

    def look(self, *args, **kwargs):
        for each in gc.get_objects():
            if type(each) is tuple:
                try:
                    hash(each)
                except TypeError:
                    pass
        before(self, *args, **kwargs)

    _stats.MemoryClass.__init__ = look
    assert len(xichan.memory_stats().classes) >= 3
    """)
