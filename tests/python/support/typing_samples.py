"""Types that type checkers must infer for xichan. Checked by test_stubs.py, and executed."""

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import io
import ipaddress
import json
import logging
import pathlib
import re
import socket
import types
import uuid
import zoneinfo
from collections.abc import Iterator, MutableMapping
from typing import Any, NamedTuple, assert_type

import xichan
from xichan import Receiver, Sender


def made_by_channel() -> None:
    tx, rx = xichan.channel()
    assert_type(tx, Sender[Any])
    assert_type(rx, Receiver[Any])
    assert_type(xichan.channel(capacity=8, flavor="mpmc"), tuple[Sender[Any], Receiver[Any]])


def typed_ends() -> None:
    tx: Sender[int]
    rx: Receiver[int]
    tx, rx = xichan.channel(4)
    tx.send(1)
    tx.send(True, timeout=0.5)
    tx.send(2, 1)
    tx.send_nowait(3)
    assert_type(rx.recv(), int)
    assert_type(rx.recv(1.5), int)
    assert_type(rx.recv(timeout=None), int)
    assert_type(rx.recv_nowait(), int)


class Order:
    pass


def typed_channels() -> None:
    tx, rx = xichan.channel(type=int)
    assert_type(tx, Sender[int])
    assert_type(rx, Receiver[int])
    tx.send(1)
    assert_type(rx.recv(), int)
    orders_tx, orders_rx = xichan.channel(4, type=Order, pickle=True)
    assert_type((orders_tx, orders_rx), tuple[Sender[Order], Receiver[Order]])
    either, either_rx = xichan.channel(type=(int, str))
    assert_type(either_rx, Receiver[int | str])
    assert_type(either, Sender[int | str])
    anything, anything_rx = xichan.channel(type=None)
    assert_type(anything_rx, Receiver[Any])
    assert_type(anything, Sender[Any])
    queue = xichan.Queue(type=Order)
    assert_type(queue, xichan.Queue[Order])


@dataclasses.dataclass
class Row:
    number: int


class Pair(NamedTuple):
    one: int
    other: str


class Color(enum.Enum):
    RED = 1


def shareables() -> None:
    """The rows of the table in docs/reference/values.md; test_typed.py has those of NumPy."""
    tx: Sender[xichan.Shareable]
    rx: Receiver[xichan.Shareable]
    tx, rx = xichan.channel(None, type=xichan.Shareable)
    plain: list[xichan.Shareable] = [
        None, True, 1, 2.5, 1j, "a", b"b", (1, ("a",)), frozenset({1}), range(3), slice(1, 2), ...,
        [1, {"a": 2.5}], {"a": [1]}, {1}, bytearray(b"x"), array.array("i", [1]), memoryview(b"x"),
    ]  # fmt: skip
    standard: list[xichan.Shareable] = [
        datetime.date(2025, 1, 2), datetime.time(1), datetime.datetime(2025, 1, 2), datetime.timedelta(1),
        datetime.UTC, zoneinfo.ZoneInfo("UTC"), decimal.Decimal(1), fractions.Fraction(1, 2), uuid.UUID(int=1),
        pathlib.PurePosixPath("a"), pathlib.PureWindowsPath("a"), pathlib.Path("a"),
        ipaddress.IPv4Address(1), ipaddress.IPv4Network("10.0.0.0/8"), ipaddress.IPv4Interface("10.0.0.1/8"),
        ipaddress.IPv6Address(1), ipaddress.IPv6Network("fe80::/64"), ipaddress.IPv6Interface("fe80::1/64"),
        types.SimpleNamespace(a=1), collections.deque([1]), collections.Counter("aa"), collections.OrderedDict(a=1),
        collections.defaultdict(list, {1: [2]}), Color.RED, re.RegexFlag.ASCII, Pair(1, "a"), Row(1), ValueError(1),
        ExceptionGroup("text", [OSError()]), logging.makeLogRecord({}),
    ]  # fmt: skip
    shared = xichan.share([(1,), {"a": Row(1)}, {1}, array.array("d", range(999)), bytes(999), "text" * 999])
    views = shared.view()
    items: xichan.TupleView = views[0]
    fields: xichan.DictView = views[1]
    row: xichan.RecordView = fields["a"]
    numbers: xichan.SetView = views[2]
    floats: xichan.ArrayView = views[3]
    data: xichan.BytesView = views[4]
    text: xichan.StrView = views[5]
    whole: xichan.ListView = views
    parts: list[xichan.Shareable] = [
        *xichan.channel(), xichan.Queue[int](), shared, items, fields, row, numbers, floats, data, text, whole,
    ]  # fmt: skip
    for value in [*plain, *standard, *parts]:
        assert xichan.is_shareable(value)
        tx.send(value)
    assert_type(rx.recv(), xichan.Shareable)
    tx.send(row.number)


def registered() -> None:
    def encode(order: Order) -> tuple[str, int]:
        return "order", 1

    def decode(value: tuple[str, int]) -> Order:
        return Order()

    xichan.register(Order, encode, decode)


def iteration() -> None:
    tx: Sender[int]
    rx: Receiver[int]
    tx, rx = xichan.channel()
    tx.send(1)
    tx.send(2)
    tx.close()
    assert_type(iter(rx), Receiver[int])
    numbers: Iterator[int] = rx
    assert_type(next(numbers), int)
    for number in rx:
        assert_type(number, int)


def both_sides() -> None:
    tx: Sender[str]
    rx: Receiver[str]
    tx, rx = xichan.channel()
    assert_type(tx.clone(), Sender[str])
    assert_type(rx.clone(), Receiver[str])
    assert_type(tx.closed, bool)
    assert_type(tx.id, int)
    assert_type(rx.capacity, int | None)
    assert_type(len(rx), int)
    assert_type(xichan.is_shareable(()), bool)
    with tx as inner, rx:
        assert_type(inner, Sender[str])
        inner.shutdown(immediate=True)
    assert_type(bool(tx), bool)


def variance() -> None:
    """A Sender of object is also a Sender of int; a Receiver of bool is also a Receiver of int."""
    anything: Sender[object]
    flags: Receiver[bool]
    anything, flags = xichan.channel()
    numbers_in: Sender[int] = anything
    numbers_out: Receiver[int] = flags
    numbers_in.send(True)
    assert_type(numbers_out.recv(), int)


def from_ids() -> None:
    tx, rx = xichan.channel()
    opened: Sender[int] = Sender.from_id(rx.id)
    opened.send(1)
    other: Receiver[int] = xichan.Receiver.from_id(tx.id)
    assert_type(other.recv(), int)


def ends_of_ends() -> None:
    tx: Sender[tuple[int, Sender[str]]]
    rx: Receiver[tuple[int, Sender[str]]]
    reply: Sender[str]
    tx, rx = xichan.channel()
    reply, answers = xichan.channel()
    tx.send((1, reply))
    number, end = rx.recv()
    assert_type(number, int)
    assert_type(end, Sender[str])


def views() -> None:
    tx: Sender[int]
    rx: Receiver[int]
    tx, rx = xichan.channel()
    tx.send_many([1, 2])
    assert_type(rx.recv(copy=False), Any)
    assert_type(rx.drain(copy=True), list[int])
    assert_type(rx.drain(copy=False), list[Any])
    tx.close()
    assert list(rx.views()) == []
    shared = xichan.share(("text", bytes(1000)))
    assert_type(shared.nbytes, int)
    view: xichan.TupleView = shared.view()
    assert_type(view.value(), tuple[Any, ...])
    assert_type(view[1:], xichan.TupleView)
    data: xichan.BytesView = view[1]
    assert_type(data[0], int)
    assert_type(data.decode(), str)
    assert memoryview(data).nbytes == len(shared.view()[1])
    assert_type(xichan.Buffer(10).freeze(5), xichan.Shared)
    with xichan.descriptor(0) as descriptor:
        assert_type(descriptor, xichan.Descriptor)
        assert_type(descriptor.fileno(), int)
    one, other = socket.socketpair()
    with one, other:
        assert_type(xichan.descriptor(one).socket(), socket.socket)
        file = xichan.descriptor(other).open("wb")
        assert_type(file, io.BufferedWriter)
        file.close()
    table: xichan.DictView = xichan.share({"a": [1, {2}]}).view()
    assert_type(table.value(), dict[Any, Any])
    assert_type(table | {"b": 1}, dict[Any, Any])
    items: xichan.ListView = table["a"]
    assert_type(items[1:], xichan.ListView)
    assert_type(items.value(), list[Any])
    assert_type(items + [3], list[Any])
    numbers: xichan.SetView = items[1]
    assert_type(numbers & {2}, set[Any] | frozenset[Any])


def errors() -> None:
    tx, rx = xichan.channel()
    try:
        rx.recv(0)
    except TimeoutError as error:
        assert isinstance(error, xichan.ChannelTimeout)
    kinds: list[type[xichan.Error]] = [
        xichan.MemoryLimitExceeded, xichan.ChannelClosed, xichan.ChannelEmpty, xichan.ChannelFull,
        xichan.ChannelTimeout,
        xichan.NotFound, xichan.NotShareableError,
    ]  # fmt: skip
    assert len(set(kinds)) == 7


def memory() -> None:
    stats = xichan.memory_stats()
    assert_type(stats, xichan.MemoryStats)
    assert_type(stats.limit, int | None)
    assert_type(stats.classes, tuple[xichan.MemoryClass, ...])
    xichan.set_memory_limit(1 << 30)
    xichan.set_memory_limit(None)
    print(stats.bytes, stats.blocks, xichan.__version__.upper())


def dumping() -> None:
    data = xichan.dumps((1, "text"))
    assert_type(data, bytes)
    assert_type(xichan.loads(memoryview(data)), Any)


def statistics() -> None:
    tx, rx = xichan.channel()
    assert_type(tx.stats(), xichan.ChannelStats)
    assert_type(xichan.channels(), list[xichan.ChannelStats])
    assert_type(rx.stats().name, str | None)
    assert_type(rx.stats().depth, int)
    queue: xichan.Queue[int] = xichan.Queue()
    queue.put(1)
    assert_type(queue.get(), int)
    assert_type(queue.stats(), xichan.QueueStats)
    assert_type(queue.stats().pickled, int)


def names() -> None:
    tx, rx = xichan.channel(name="typing samples")
    opened: Sender[int] = Sender.lookup("typing samples")
    opened.send(1)
    other: Receiver[int] = xichan.Receiver.lookup("typing samples", timeout=None)
    assert_type(other.recv(), int)


def shared_state() -> None:
    counter = xichan.AtomicInt()
    assert_type(counter.add(2), int)
    cell = xichan.Cell(1.5)
    assert_type(cell.get(), float)
    assert_type(cell.update(lambda number: number + 1), float)
    table: xichan.Map[str, int] = xichan.Map(ttl=60)
    assert_type(table.add("a"), int)
    assert_type(table["a"], int)
    assert_type(table.get("b"), int | None)
    assert_type(table.get("b", 0), int)
    assert_type(table.get("b", "none"), int | str)
    assert_type(table.update_with("a", lambda number: number + 1), int)
    assert_type(table.get_many(["a"]), dict[str, int])
    assert_type(table.snapshot(), dict[str, int])
    assert_type(table.pop("a"), int)
    assert_type(table.stats().max_items, int | None)
    table.update({"a": 1}, b=2)
    mapping: MutableMapping[str, int] = table
    mapping.clear()
    with xichan.Lock() as held:
        assert_type(held, bool)
    assert_type(xichan.Semaphore(2).acquire(timeout=0), bool)
    tx: xichan.BroadcastSender[str]
    subscribe: xichan.Broadcast[str]
    tx, subscribe = xichan.broadcast(8, overflow="drop_oldest")
    with tx, subscribe() as rx:
        tx.send("text")
        assert_type(rx.recv(), str)
        assert_type(subscribe.sender(), xichan.BroadcastSender[str])
    for obj in xichan.objects():
        assert_type(obj.name, str | None)


def mistakes() -> None:
    """Each ignored line must be an error to type checkers; `warn_unused_ignores` reports those that are not."""
    tx: Sender[int]
    rx: Receiver[int]
    tx, rx = xichan.channel()
    tx.send("text")  # type: ignore[arg-type]
    order, orders = xichan.channel(type=Order)
    number: int = orders.recv()  # type: ignore[assignment]
    order.send(object())  # type: ignore[arg-type]
    order.send_many([1])  # type: ignore[list-item]
    xichan.Queue(type=Order).put(1)  # type: ignore[arg-type]
    xichan.Queue(capacity=1)  # type: ignore[arg-type]
    xichan.InterpreterPoolExecutor(processes=1)  # type: ignore[arg-type]
    xichan.channel(type=5)  # type: ignore[call-overload]
    order.send(lambda: 0)  # type: ignore[arg-type]
    order.send(json)  # type: ignore[arg-type]
    anything: Sender[xichan.Shareable] = xichan.channel()[0]
    anything.send(object())  # type: ignore[arg-type]
    anything.send(lambda: 0)  # type: ignore[arg-type]
    anything.send(json)  # type: ignore[arg-type]
    anything.send((1, object()))  # type: ignore[arg-type]
    lambdas: list[xichan.Shareable] = [lambda: 0]  # type: ignore[list-item]
    print(lambdas, number)
    tx.recv()  # type: ignore[attr-defined]
    rx.send(1)  # type: ignore[attr-defined]
    text: str = rx.recv()  # type: ignore[assignment]
    wrong: Sender[object] = tx  # type: ignore[assignment]
    tx.closed = True  # type: ignore[misc]
    xichan.channel("8")  # type: ignore[call-overload]
    xichan.channel(8, flavor="no such flavor")  # type: ignore[call-overload]
    rx.recv(timeout="1")  # type: ignore[call-overload]
    rx.stats().depth = 1  # type: ignore[misc]
    rx.stats()["depth"]  # type: ignore[index]
    print(xichan.no_such_name)  # type: ignore[attr-defined]
    xichan.Queue[int]().put("text")  # type: ignore[arg-type]
    xichan.Map[str, int]().set(1, 1)  # type: ignore[arg-type]
    xichan.Cell(1).set("text")  # type: ignore[arg-type]
    xichan.broadcast(8, overflow="error")  # type: ignore[arg-type]
    print(text, wrong)


if __name__ == "__main__":
    samples = (
        made_by_channel,
        typed_ends,
        typed_channels,
        shareables,
        registered,
        iteration,
        both_sides,
        variance,
        from_ids,
        ends_of_ends,
        views,
        errors,
        memory,
        statistics,
        names,
        dumping,
        shared_state,
    )
    for sample in samples:
        sample()
