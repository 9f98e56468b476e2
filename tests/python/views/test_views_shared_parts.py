"""Operations on values that show one part in many places take time proportional to their size in memory.

The values here expand to 2**38 bytes and more, so an operation that visits every place does not finish.
"""

import copy
import pickle

import pytest
from support import run_script, viewed

import xichan

REPEATS = 1 << 16
PAYLOADS = {
    "bytes": lambda last: bytes(1 << 22) + last.encode(),
    "ascii": lambda last: "a" * (1 << 22) + last,
    "ucs2": lambda last: "\u20ac" * (1 << 21) + last,
    "int": lambda last: (1 << 2_000_000) + ord(last),
}


def doubled(leaf, levels=60):
    """A Shared that shows 2**levels times the same leaf."""
    for _ in range(levels):
        leaf = xichan.share((leaf, leaf))
    return leaf


def repeated(make, last="x"):
    payload = make(last)
    return xichan.share((payload,) * REPEATS).view(), payload


def forwarded(leaf, levels=60):
    """A TupleView that refers to another one twice, and so on."""
    view = viewed((leaf,))
    for _ in range(levels):
        view = viewed((view, view))
    return view


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", PAYLOADS)
def test_repeated_payload_is_hashed_and_compared_once(kind):
    view, payload = repeated(PAYLOADS[kind])
    other, _ = repeated(PAYLOADS[kind])
    assert hash(view[:3]) == hash((payload,) * 3)
    assert isinstance(hash(view), int)
    assert hash(view) == hash(other) == hash(view[::-1]) != hash(view[1:])
    assert view == other and not view != other and view <= other and not view < other
    plain = (payload,) * REPEATS
    assert view == plain and plain == view
    different, last = repeated(PAYLOADS[kind], "y")
    assert view != different and view < different and different > plain
    assert last not in view and view.count(last) == 0 and view.count(payload) == REPEATS
    with pytest.raises(ValueError):
        view.index(last)
    assert view.index(payload) == 0 and view.index(payload, 7) == 7


@pytest.mark.timeout(120)
def test_windows_onto_one_payload_are_hashed_compared_and_received_once():
    view = viewed((bytes(1 << 22),))[0]
    windows, other = viewed((view,) * REPEATS), viewed((view,) * REPEATS)
    assert hash(windows) == hash(other)
    assert windows == other
    assert windows[1:] == other[:-1]
    again = viewed((viewed((bytes(1 << 22),))[0],) * REPEATS)
    assert windows == again and hash(windows) == hash(again)
    received = windows.value()
    assert received[0] is received[-1] and len(received) == REPEATS
    assert len(xichan.dumps(windows)) < (1 << 22) + 100 + 16 * REPEATS


@pytest.mark.timeout(120)
@pytest.mark.parametrize("make", [doubled, forwarded])
def test_value_that_doubles_60_times_is_hashed_and_compared_in_linear_time(make):
    one, two, other = make("leaf"), make("leaf"), make("loaf")
    assert hash(one) == hash(two)
    assert one == two and not one != two
    assert one != other and not one == other
    plain = ("leaf",) if make is forwarded else "leaf"
    small = make("leaf", 3)
    for _ in range(3):
        plain = (plain, plain)
    assert hash(small) == hash(plain) and small == plain and plain == small
    for _ in range(57):
        plain = (plain, plain)
    assert one == plain
    table = {one: 1}
    assert table[two] == 1 and other not in table


@pytest.mark.timeout(120)
def test_tuple_view_of_doubled_shareds_compares_in_linear_time():
    one, two = doubled("leaf").view(), doubled("leaf").view()
    assert one == two and one <= two and not one < two and hash(one) == hash(two)
    assert one[0] in two and two.count(one[1]) == 2 and two.index(one[0]) == 0
    assert viewed((one, two, 1)) == viewed((two, one, 1))
    assert viewed((one, two, 1))[::-1] == viewed((1, one, two))


@pytest.mark.timeout(120)
def test_received_copy_of_doubled_views_shares_its_parts():
    value = forwarded("leaf").value()
    for _ in range(60):
        assert type(value) is tuple and value[0] is value[1]
        value = value[0]
    assert value == ("leaf",)


@pytest.mark.timeout(120)
def test_doubled_shared_is_copied_and_pickled_in_linear_time():
    shared = doubled("leaf")
    assert len(pickle.dumps(shared)) < 20_000
    assert pickle.loads(pickle.dumps(shared)) == shared
    assert copy.deepcopy(shared) == shared
    value = shared.value()
    assert value[0] is value[1]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("limit", [None, 1 << 24], ids=["no limit", "limit"])
@pytest.mark.parametrize("kind", ["tuples", "shared", "views"])
def test_dumps_writes_shared_parts_once_and_does_not_expand_them(kind, limit):
    run_script(
        f"""
        import resource, xichan
        kind, limit = {kind!r}, {limit!r}
        value = ("leaf",)
        for _ in range(41):
            value = (value, value)
            if kind == "shared":
                value = xichan.share(value)
            elif kind == "views":
                value = xichan.share(value).view()
        xichan.set_memory_limit(limit)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        dump = xichan.dumps(value)
        assert len(dump) < 1 << 14, len(dump)
        loaded = xichan.loads(dump)
        for _ in range(41):
            assert type(loaded) is tuple and loaded[0] is loaded[1]
            loaded = loaded[0]
        assert loaded == ("leaf",)
        tx, rx = xichan.channel(1)
        tx.send(value)
        received = rx.recv().value() if kind == "shared" else rx.recv()
        assert received[0] is received[1]
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 128 << 10, f"{{grown}} KiB"
        """,
        timeout=100,
    )


def test_not_a_number_is_equal_only_to_what_is_identical():
    nan = float("nan")
    one, two = xichan.share((nan, 1)), xichan.share((nan, 1))
    assert one == one and one != two
    assert viewed((one, one)) == viewed((one, one)) and viewed((one, one)) != viewed((one, two))
    assert doubled(one, 3) == doubled(one, 3) and doubled(one, 3) != doubled(two, 3)


def test_numbers_of_different_types_compare_as_in_python():
    assert viewed((1, 0.0, 2**70, True)) == viewed((True, 0, 2**70, 1.0)) == (1.0, False, float(2**70), 1)
    assert viewed((2**70, 1)) == viewed((float(2**70), 1)) and viewed((2**70 + 1, 1)) != viewed((float(2**70), 1))
    assert viewed((b"x" * 100, 1)) != viewed(("x" * 100, 1))
    assert viewed(("x" * 600,)) == viewed(("x" * 600,)) == ("x" * 600,)
    assert viewed((xichan.share((1, 2)), 3)) == viewed(((1, 2), 3)) == ((1, 2), 3)


def test_ctrl_c_interrupts_a_long_hash():
    run_script(
        """
        import signal, xichan
        class Stop(Exception):
            pass
        def stop(*_):
            raise Stop
        signal.signal(signal.SIGALRM, stop)
        view = xichan.share(tuple(str(i) for i in range(1_000_000))).view()
        other = xichan.share(view.value()).view()
        for operation in (lambda: hash(view), lambda: view == other, lambda: None in view, lambda: view.count(None)):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.001)
                operation()
                raise AssertionError("the signal arrived after the operation")
            except Stop:
                pass
        """,
        timeout=100,
    )


def test_python_code_that_runs_during_a_comparison_may_send_the_view():
    tx, rx = xichan.channel(capacity=100)
    strided = viewed(tuple((i, "x" * 100) for i in range(1000)))[::2]

    class Sender:
        def __eq__(self, other):
            tx.send_nowait(strided)
            rx.recv_nowait()
            return False

        __hash__ = None

    assert Sender() not in strided and strided.count(Sender()) == 0
    assert strided != tuple(strided[:10]) + (Sender(),) * 490
    tx.close()
    rx.close()
