"""Records that channels deliver: standard types, classes, what happens if an object cannot be made."""

import collections
import copy
import dataclasses
import datetime
import decimal
import gc
import sys
import types
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import Call, interpreter, run_loop

import xichan


@dataclasses.dataclass
class Point:
    x: object
    y: object = None


@dataclasses.dataclass
class Bare:
    pass


@dataclasses.dataclass(eq=False)
class Node:
    x: object = None


Pair = collections.namedtuple("Pair", ["first", "second"])


@dataclasses.dataclass(frozen=True, slots=True)
class Fixed:
    name: str
    parts: tuple = ()


class Custom:
    """Registered by a test."""

    def __init__(self, content):
        self.content = content


@pytest.fixture
def broken(monkeypatch):
    """Sends an object whose class cannot be found when it arrives, although it was found before."""
    module = types.ModuleType("vanishing")
    monkeypatch.setitem(sys.modules, "vanishing", module)
    cls = dataclasses.make_dataclass("Gone", ["field"], module="vanishing")

    def send(tx):
        module.Gone = cls
        assert deliver(cls(0)) == cls(0)
        tx.send(cls([1, "two"]))
        del module.Gone

    return send


def deliver(value):
    tx, rx = xichan.channel(1)
    tx.send(value)
    return rx.recv()


ZONES = st.one_of(
    st.none(),
    st.just(datetime.UTC),
    st.builds(datetime.timezone, st.timedeltas(datetime.timedelta(hours=-23), datetime.timedelta(hours=23))),
    st.builds(datetime.timezone, st.just(datetime.timedelta(0)), st.text(max_size=9)),
)
STANDARD = st.one_of(
    st.dates(),
    st.builds(lambda t, fold: t.replace(fold=fold), st.times(timezones=ZONES), st.integers(0, 1)),
    st.builds(lambda t, fold: t.replace(fold=fold), st.datetimes(timezones=ZONES), st.integers(0, 1)),
    st.timedeltas(),
    ZONES.filter(bool),
    st.decimals(),
    st.uuids(),
)


@given(STANDARD)
def test_standard_types_arrive_unchanged(value):
    received = deliver([value, {"k": (value,)}])
    for found in (received[0], received[1]["k"][0]):
        assert type(found) is type(value)
        assert repr(found) == repr(value) and copy.copy(found).__reduce__() == value.__reduce__()
    assert received[0] is received[1]["k"][0]


def test_extreme_standard_values_arrive_unchanged():
    for value in (
        datetime.datetime.max, datetime.datetime.min, datetime.date.max, datetime.time.max, datetime.timedelta.max,
        datetime.timedelta.min, datetime.timezone.max, decimal.Decimal("sNaN123"), decimal.Decimal("-0E-10"),
        decimal.Decimal("1E+999999"), decimal.Decimal("1." + "3" * 1000), uuid.UUID(int=0), uuid.UUID(int=2**128 - 1),
        uuid.uuid1(),
    ):  # fmt: skip
        assert repr(deliver(value)) == repr(value) and type(deliver(value)) is type(value)
    assert deliver(uuid.UUID(int=5, is_safe=uuid.SafeUUID.unsafe)).is_safe is uuid.SafeUUID.unsafe
    assert deliver(datetime.UTC) is datetime.UTC


def test_standard_types_are_imported_by_the_receiver():
    tx, rx = xichan.channel(3)
    tx.send([datetime.date(2024, 2, 29), decimal.Decimal("1.5"), uuid.UUID(int=7), [1, (2, [3])]])
    with interpreter(rx=rx) as interp:
        interp.exec(
            "value = rx.recv()\n"
            "import datetime, decimal, uuid\n"
            "assert value[:2] == [datetime.date(2024, 2, 29), decimal.Decimal('1.5')], value\n"
            "assert value[2:] == [uuid.UUID(int=7), [1, (2, [3])]], value\n"
        )


@pytest.mark.parametrize("operation", ["loads(dump)", "dumps(value)"])
def test_a_module_that_is_being_imported_is_not_waited_for_within_a_value(operation):
    """The import system runs Python code to wait, which would see the value half made or change it."""
    with interpreter(dump=xichan.dumps((1, [2, decimal.Decimal("1.5"), 3], "x" * 100))) as interp:
        interp.exec(
            "import sys, decimal, xichan\n"
            "value = (1, [2, decimal.Decimal('1.5'), 3], 'x' * 100)\n"
            "ran = []\n"
            "decimal.__spec__._initializing = True\n"
            "sys.setprofile(lambda frame, event, arg: ran.append(frame.f_code.co_name))\n"
            f"xichan.{operation}\n"
            "sys.setprofile(None)\n"
            "decimal.__spec__._initializing = False\n"
            "assert '_lock_unlock_module' not in ran, ran\n"
            "assert xichan.loads(dump) == value\n"
        )


def test_objects_in_a_cycle_arrive_in_a_cycle():
    point = Point([1], None)
    point.y = {"self": point, "all": (point, [point])}
    received = deliver([point, point])
    assert received[0] is received[1] and type(received[0]) is Point
    assert received[0].y["self"] is received[0] is received[0].y["all"][0] is received[0].y["all"][1][0]
    assert received[0].x == [1]


def test_objects_are_made_without_running_their_class():
    received = deliver({"f": Fixed("a", (1, [2])), "p": [Point(n, n) for n in range(100)]})
    assert received == {"f": Fixed("a", (1, [2])), "p": [Point(n, n) for n in range(100)]}


def test_a_class_of_main_is_found_in_the_main_of_the_receiver():
    tx, rx = xichan.channel(2)
    source = "import dataclasses\n@dataclasses.dataclass\nclass Local:\n    x: int\n"
    with interpreter(tx=tx) as sender, interpreter(rx=rx) as receiver:
        sender.exec(source + "tx.send([Local(5), Local(6)])")
        receiver.exec(source + "assert rx.recv() == [Local(5), Local(6)]")
        sender.exec("tx.send(Local(7))")
        with pytest.raises(Exception, match="no class 'Local'"):
            receiver.exec("del Local\nrx.recv()")


def test_a_class_that_was_defined_again_is_found(monkeypatch):
    first = deliver(Point(1))
    again = dataclasses.make_dataclass("Point", ["x", "y"], module=__name__)
    monkeypatch.setattr(sys.modules[__name__], "Point", again)
    tx, rx = xichan.channel(1)
    tx.send(again(1, None))
    assert type(rx.recv()) is again is not type(first)


def check_error(error):
    assert type(error.record) is xichan.RecordView and list(error.record.field) == [1, "two"]
    assert isinstance(error.__cause__, LookupError)
    assert "vanishing.Gone" in str(error) and isinstance(error, (xichan.Error, ValueError))


def test_a_message_that_cannot_be_made_is_consumed(broken):
    tx, rx = xichan.channel(10)
    for receive in (rx.recv, rx.recv_nowait, lambda: next(rx), lambda: run_loop(rx.arecv()), rx.drain,
                    lambda: rx.recv_many(5), lambda: run_loop(rx.arecv_many(5)),
                    lambda: xichan.select([rx])):  # fmt: skip
        broken(tx)
        tx.send("next")
        with pytest.raises(xichan.DecodeError) as caught:
            receive()
        check_error(caught.value)
        assert rx.recv_nowait() == "next" and len(rx) == 0


def test_select_names_the_case_that_cannot_be_made(broken):
    tx, rx = xichan.channel(10)
    broken(tx)
    with pytest.raises(xichan.DecodeError) as caught:
        xichan.select([rx])
    assert caught.value.case is rx


def test_the_values_around_one_that_cannot_be_made_are_received(broken):
    tx, rx = xichan.channel(10)
    for receive in (lambda: rx.recv_many(10), rx.drain, lambda: run_loop(rx.arecv_many(10))):
        tx.send_many(["a", "b"])
        broken(tx)
        tx.send_many(["c", "d"])
        assert receive() == ["a", "b"]
        with pytest.raises(xichan.DecodeError) as caught:
            receive()
        check_error(caught.value)
        assert receive() == ["c", "d"]


def test_iteration_continues_after_one_that_cannot_be_made(broken):
    tx, rx = xichan.channel(10)
    tx.send(1)
    broken(tx)
    tx.send(2)
    tx.close()
    received = []
    while len(received) < 3:
        try:
            for value in rx:
                received.append(value)
        except xichan.DecodeError as error:
            received.append(error.record.field[1])
    assert received == [1, "two", 2]


def test_a_queue_continues_after_one_that_cannot_be_made(broken):
    queue = xichan.Queue()
    broken(types.SimpleNamespace(send=queue.put))
    queue.put("next")
    with pytest.raises(xichan.DecodeError):
        queue.get()
    assert queue.get() == "next"
    queue.task_done()
    queue.task_done()
    queue.join()


def test_a_view_needs_no_class(broken):
    tx, rx = xichan.channel(10)
    broken(tx)
    record = rx.recv(copy=False)
    assert record.field[1] == "two"
    with pytest.raises(xichan.DecodeError):
        record.value()


@pytest.fixture
def custom():
    """Sends Custom objects, and makes them by calling `custom.decode`."""
    hook = types.SimpleNamespace(decode=Custom)
    xichan.register(Custom, lambda obj: obj.content, lambda value: hook.decode(value))
    yield hook
    hook.decode = Custom


def test_what_decode_raises_is_the_cause(custom):
    tx, rx = xichan.channel(3)
    tx.send([1, Custom("text"), 2])
    tx.send("next")
    error = RuntimeError("refused")

    def refuse(value):
        raise error

    custom.decode = refuse
    with pytest.raises(xichan.DecodeError, match="RuntimeError: refused") as caught:
        rx.recv()
    assert caught.value.__cause__ is error and caught.value.record.encoded == "text"
    assert rx.recv() == "next"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError])
def test_an_interruption_while_decoding_loses_nothing(custom, error):
    tx, rx = xichan.channel(10)

    def interrupt(value):
        custom.decode = Custom
        raise error

    for receive in (rx.recv, rx.recv_nowait, lambda: xichan.select([rx])):
        tx.send_many([Custom(1), 2])
        custom.decode = interrupt
        with pytest.raises(error):
            receive()
        assert rx.recv().content == 1 and rx.recv() == 2
    for receive in (lambda: rx.recv_many(10), rx.drain):
        tx.send_many([0, [1], Custom(2), 3])
        custom.decode = interrupt
        if error is MemoryError:
            received = receive()
            assert received == [0, [1]] and custom.decode is Custom
        else:
            with pytest.raises(error):
                receive()
            received = []
        tx.send(4)
        received += rx.drain()
        assert received[:2] == [0, [1]] and received[2].content == 2 and received[3:] == [3, 4]
    queue = xichan.Queue()
    queue.put(Custom(5))
    view, data = xichan.share([Custom(6)]), xichan.dumps(Custom(7))
    for receive in (queue.get_nowait, view.value, lambda: xichan.loads(data, classes=[Custom])):
        custom.decode = interrupt
        with pytest.raises(error):
            receive()
    assert queue.get_nowait().content == 5 and view.value()[0].content == 6


@pytest.mark.parametrize("error", [RecursionError, OSError, xichan.ChannelClosed])
def test_other_errors_while_decoding_consume_the_message(custom, error):
    tx, rx = xichan.channel(10)

    def refuse(value):
        raise error

    tx.send_many([Custom(1), 2])
    custom.decode = refuse
    with pytest.raises(xichan.DecodeError) as caught:
        rx.recv()
    assert isinstance(caught.value.__cause__, error) and rx.recv() == 2


def test_code_that_decoding_runs_may_use_the_receiver(custom):
    tx, rx = xichan.channel(10)
    seen = []

    def receive(value):
        custom.decode = Custom
        seen.append(rx.recv_nowait())
        return Custom(value)

    custom.decode = receive
    tx.send_many([Custom("outer"), "inner", "after"])
    assert rx.recv().content == "outer" and seen == ["inner"] and rx.recv() == "after"

    custom.decode = receive
    tx.send_many([Custom("outer"), "inner", "after"])
    received = rx.recv_many(10)
    assert received[0].content == "outer"
    assert sorted(received[1:] + seen[1:]) == ["after", "inner"]


def test_code_that_decoding_runs_may_close_the_receiver(custom):
    for receive in (
        lambda rx: rx.recv(),
        lambda rx: rx.recv_many(3),
        lambda rx: rx.drain(),
        lambda rx: xichan.select([rx]),
    ):
        tx, rx = xichan.channel(10)

        def close(value):
            rx.close()  # noqa: B023
            return Custom(value)

        custom.decode = close
        tx.send_many([[Custom(1)], 2, 3])
        received = receive(rx)
        received = received[1] if isinstance(received, tuple) else received
        while isinstance(received, list):
            received = received[0]
        assert received.content == 1
        with pytest.raises(xichan.ChannelClosed):
            rx.recv()


def test_a_failed_value_can_be_received_after_its_code_received_others(custom):
    tx, rx = xichan.channel(10)

    def receive_and_interrupt(value):
        custom.decode = Custom
        assert rx.recv() == "inner"
        raise KeyboardInterrupt

    custom.decode = receive_and_interrupt
    tx.send_many([Custom("outer"), "inner", "after"])
    with pytest.raises(KeyboardInterrupt):
        rx.recv()
    assert rx.recv().content == "outer" and rx.recv() == "after"


def test_code_that_decoding_runs_sees_no_unset_slot(custom):
    def look(value):
        gc.collect()
        for found in gc.get_objects():
            if type(found) in (tuple, list):
                list(found)  # crashes at an unset slot
        return Custom(value)

    custom.decode = look
    value = ([1, (Custom(2), [3], Point(4, (5, Custom(6)))), 7], {"k": Custom((8,)), "l": [9, Custom(10), 11]})
    received = deliver(value)
    assert received[0][1][0].content == 2 and received[0][1][2].y[1].content == 6
    assert received[1]["l"][1].content == 10 and received[1]["l"][2] == 11
    assert gc.is_tracked(received[0][1]) and gc.is_tracked(received)


def test_code_that_decoding_runs_may_change_what_it_finds(custom):
    point = Point([])
    point.x += [point, Custom(point), 1, 2]

    def change(value):
        value.x = "changed"
        return Custom(value)

    custom.decode = change
    received = deliver([point, point])
    assert received[0] is received[1]


def test_objects_without_fields_leave_the_empty_tuple_untracked():
    """It is one object of all interpreters: in the list of one collector, it would outlive that list."""
    assert deliver([Bare()]) == [Bare()]
    assert not gc.is_tracked(())


@pytest.mark.parametrize("make", [tuple, Pair._make, frozenset])
def test_a_hash_of_what_is_incomplete_is_forgotten(make):
    node = Node()
    items = make((node, 5))
    node.x = {Fixed("key", items): 1}  # is hashed before `items` is complete
    received = deliver(items)
    assert hash(received) == hash(make(list(received)))


def test_objects_may_be_keys(custom):
    value = {Fixed("a"): 1, Fixed("b", (2,)): [3], "s": {Fixed("c"), datetime.date(2024, 1, 1)}}
    received = deliver([value, value])
    assert received == [value, value] and received[0] is received[1]


def test_many_threads_resolve_a_class_at_once():
    tx, rx = xichan.channel(100)
    tx.send_many([Point(n) for n in range(100)])
    calls = [Call(lambda: [rx.recv() for _ in range(25)]) for _ in range(4)]
    assert sorted(point.x for call in calls for point in call.result()) == list(range(100))


def test_a_standard_type_that_cannot_be_made_shows_its_fields(monkeypatch):
    import fractions

    monkeypatch.setattr(fractions.Fraction, "__new__", lambda *_: 1 / 0)
    tx, rx = xichan.channel(1)
    value = object.__new__(fractions.Fraction)
    value._numerator, value._denominator = 3, 4
    tx.send([value])
    with pytest.raises(xichan.DecodeError, match=r"cannot make a fractions\.Fraction: ZeroDivisionError") as caught:
        rx.recv()
    assert caught.value.record == (3, 4)
