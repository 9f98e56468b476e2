"""Python code that reduces objects runs before a value is read, and may do anything."""

import gc
import weakref

import pytest
from support import alive, left_over, run_loop
from support.memory import loop_without_leak
from support.record_types import Point

import xichan


class Node:
    """Reduces to what its `encode` returns."""

    def __init__(self, encode):
        self.encode = encode


def encode(node):
    return node.encode()


def make(value):
    node = Node(None)
    node.value = value
    return node


xichan.register(Node, encode, make)


class Endless:
    """Reduces to another object of its class."""


xichan.register(Endless, lambda obj: Endless(), lambda value: value)


@pytest.fixture
def ends():
    tx, rx = xichan.channel(8)
    yield tx, rx
    tx.close()
    rx.close()


def test_object_is_reduced_once_and_keeps_identity(ends):
    tx, rx = ends
    calls = []
    node = Node(lambda: calls.append(1) or [1, 2])
    tx.send([node, {"again": node}])
    assert calls == [1]
    back = rx.recv()
    assert back[0] is back[1]["again"] and back[0].value == [1, 2]


def test_reduced_objects_may_contain_further_objects(ends):
    tx, rx = ends
    node = Node(lambda: "end")
    for _ in range(300):
        node = Node(lambda inner=node: {"inner": [inner]})
    tx.send((node,))
    back = rx.recv()[0]
    for _ in range(300):
        back = back.value["inner"][0]
    assert back.value == "end"


def test_encoder_that_always_returns_an_object_to_encode_ends(ends):
    tx, _rx = ends
    with pytest.raises(RecursionError, match="Endless"):
        tx.send(Endless())


def test_encoder_may_send_on_the_same_channel(ends):
    tx, rx = ends

    def send():
        tx.send(["from the encoder", Node(lambda: 1)])
        return "done"

    tx.send([Node(send)])
    assert rx.recv()[0] == "from the encoder"
    assert rx.recv()[0].value == "done"


def test_container_may_change_while_its_objects_are_reduced(ends):
    tx, rx = ends
    items = [1, 2, 3]

    def grow():
        items.extend(range(1000))
        items.insert(0, {"k": items})
        del items[1:3]
        return "grown"

    table = {i: [i] for i in range(50)}
    items += [Node(grow), table, Node(lambda: table.clear() or "cleared")]
    tx.send(items)
    back = rx.recv()
    assert back[0]["k"] is back and len(back) == len(items) and back[3] == {}


def test_objects_that_appear_meanwhile_are_reduced(ends):
    tx, rx = ends
    items = []

    def add():
        items.append(Node(lambda: "late"))
        return "early"

    items.append(Node(add))
    tx.send(items)
    assert [node.value for node in rx.recv()] == ["early", "late"]


def test_value_that_changes_each_time_is_refused(ends):
    tx, _rx = ends
    items = []

    def add():
        items.append(Node(add))
        return 1

    items.append(Node(add))
    with pytest.raises(RuntimeError, match="changes"):
        tx.send(items)
    items.clear()


@pytest.mark.parametrize("arrange", [lambda d, o: [d, o], lambda d, o: [o, d], lambda d, o: [d, [[o]]],
                                     lambda d, o: [[[d]], o]])  # fmt: skip
def test_dict_of_an_object_may_be_sent_beside_it(ends, arrange):
    tx, rx = ends
    point = Point([1, [2]], {"k": [3]})
    for _ in range(2):  # the second time the class has a plan
        tx.send(arrange(point.__dict__, point))
        back = rx.recv()
        flat = []
        while back:
            part = back.pop()
            back.extend(part if type(part) is list else ())
            flat += [part] if type(part) is not list else []
        table, copy = sorted(flat, key=lambda part: type(part) is Point)
        assert table == point.__dict__ and copy == point
        assert table["x"] is copy.x and table["y"] is copy.y and table["x"][1] is copy.x[1]


def test_exception_of_an_encoder_propagates(ends):
    tx, rx = ends
    before = alive()
    with pytest.raises(ZeroDivisionError):
        tx.send([Node(lambda: 1), Node(lambda: 1 / 0)])
    with pytest.raises(ZeroDivisionError):
        xichan.is_shareable([Node(lambda: 1 / 0)])
    assert left_over(before) == {} and len(rx) == 0


def test_refusal_inside_a_reduced_object_names_its_place(ends):
    tx, _rx = ends
    with pytest.raises(xichan.NotShareableError) as caught:
        tx.send([0, Node(lambda: {"k": object})])
    assert caught.value.path == "value[1].encoded['k']" and caught.value.item is object


def test_refusal_by_a_reducer_names_its_place(ends):
    tx, _rx = ends

    def refuse():
        raise xichan.NotShareableError("only on Sundays")

    node = Node(refuse)
    for send in (tx.send, xichan.dumps):
        with pytest.raises(xichan.NotShareableError, match=r"^value\[1\]\['k'\]: only on Sundays$") as caught:
            send([0, {"k": node}])
        assert caught.value.path == "value[1]['k']" and caught.value.item is node
    assert not xichan.is_shareable([node])


def test_first_of_many_refused_objects_is_named(ends):
    tx, _rx = ends

    def refuse():
        raise xichan.NotShareableError("no")

    with pytest.raises(xichan.NotShareableError, match=r"^value\[1\]: no$"):
        tx.send([[Node(refuse), [Node(refuse)]], Node(refuse), {"k": Node(refuse)}])


@pytest.mark.parametrize("how", ["send", "send_nowait", "send_many", "select", "select an earlier case"])
def test_encoder_may_close_the_endpoint(how):
    tx, rx = xichan.channel(4)
    other, other_rx = xichan.channel(4)
    before = alive()

    def close():
        tx.close()
        rx.close()
        return "closed"

    calls = {
        "send": lambda: tx.send([Node(close)]),
        "send_nowait": lambda: tx.send_nowait([Node(close)]),
        "send_many": lambda: tx.send_many([1, [Node(close)]]),
        "select": lambda: xichan.select([(tx, [Node(close)])]),
        "select an earlier case": lambda: xichan.select([(tx, 1), (other, [Node(close)])]),
    }
    with pytest.raises(xichan.ChannelClosed):
        calls[how]()
    assert alive() != before and len(other_rx) == 0


def test_encoder_may_close_the_endpoint_of_an_async_send():
    tx, rx = xichan.channel(1)

    def close():
        tx.close()
        return 1

    async def main():
        with pytest.raises(xichan.ChannelClosed):
            await tx.asend([Node(close)])

    run_loop(main())
    rx.close()


def test_garbage_collection_during_reduction(ends):
    tx, rx = ends

    def collect():
        gc.collect()
        return [Node(lambda: 1)]

    tx.send([[Node(collect)] for _ in range(20)])
    assert len(rx.recv()) == 20


def test_registering_again_replaces_the_encoder(ends):
    tx, rx = ends
    node = Node(lambda: 1)
    tx.send(node)
    assert rx.recv().value == 1
    xichan.register(Node, lambda obj: "other", make)
    try:
        tx.send(node)
        assert rx.recv().value == "other"
    finally:
        xichan.register(Node, encode, make)


def test_many_classes_are_planned_and_dropped(ends):
    tx, _rx = ends
    references = []
    for i in range(300):
        cls = type(f"Class{i}", (), {})
        references.append(weakref.ref(cls))
        with pytest.raises(xichan.NotShareableError):
            tx.send(cls())
    del cls
    gc.collect()
    assert not any(reference() for reference in references)


def test_reducing_does_not_leak():
    loop_without_leak(
        "tx.send([Point(i, [i]), Slotted(i), node]); rx.recv()",
        setup="""
        from support.record_types import Point, Slotted
        class Node: pass
        xichan.register(Node, lambda node: [1], lambda value: Node())
        node = Node()
        """,
        rounds=2000,
    )
