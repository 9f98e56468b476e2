"""Containers arrive as new objects of the same exact type, and identity within a message is preserved."""

import builtins
import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import alive, left_over, run_on_small_stack
from support.containers import alike
from support.memory import fail_each_allocation, loop_without_leak, run_without_memory
from support.value_strategies import leaves

import xichan

TEXT = "a text that needs a block of its own"


def send(value):
    tx, rx = xichan.channel(1)
    tx.send(value)
    return rx.recv()


def send_nowait(value):
    tx, rx = xichan.channel(1)
    tx.send_nowait(value)
    return rx.recv_nowait()


def send_many(value):
    tx, rx = xichan.channel(4)
    tx.send_many([value])
    return rx.recv_many(1)[0]


def select(value):
    tx, rx = xichan.channel(1)
    xichan.select([(tx, value)])
    return xichan.select([rx])[1]


def dump(value):
    return xichan.loads(xichan.dumps(value))


def share(value):
    return send(xichan.share([value])).value()[0]  # share() makes bytes of a buffer


def queue(value):
    items = xichan.Queue()
    items.put(value)
    return items.get()


def publish(value):
    xichan.publish("a container", value)
    try:
        return xichan.lookup("a container")
    finally:
        xichan.unpublish("a container")


WAYS = [send, send_nowait, send_many, select, dump, share, queue, publish]
LEAVES = {
    "empty list": [],
    "list": [1, "two", TEXT, 3.0, None, b"bytes", 2**70],
    "empty dict": {},
    "dict": {"a": 1, "b": TEXT, 3: None, None: 4, (1, TEXT): 5, b"x": ..., 1.5: True},
    "large dict": {f"key {i}": i for i in range(100)},
    "dict of 32": {i: str(i) for i in range(32)},
    "dict of 33": {i: str(i) for i in range(33)},
    "empty set": set(),
    "set": {1, "two", TEXT, (3, TEXT), frozenset({4})},
    "large set": set(range(1000)),
    "frozenset": frozenset({TEXT, 1, None, ("a",)}),
    "empty frozenset": frozenset(),
    "bytearray": bytearray(b"short"),
    "long bytearray": bytearray(range(256)),
    "empty bytearray": bytearray(),
    "complex": complex(-0.0, float("inf")),
    "range": range(3, 10**30, 7),
    "empty range": range(0),
    "slice": slice(None, 5, TEXT),
    "ellipsis": ...,
}
if hasattr(builtins, "frozendict"):
    LEAVES["frozendict"] = builtins.frozendict(LEAVES["dict"])
    LEAVES["large frozendict"] = builtins.frozendict(LEAVES["large dict"])
    LEAVES["empty frozendict"] = builtins.frozendict()
NESTINGS = {
    "alone": lambda value: value,
    "in a tuple": lambda value: (0, value, TEXT),
    "in a list": lambda value: [value, [value, TEXT]],
    "in a dict": lambda value: {"k": value, TEXT: {"deeper": (value,)}},
    "in a slice": lambda value: slice(value, [value]),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("nesting", NESTINGS)
def test_container_round_trips(way, nesting):
    for name, value in LEAVES.items():
        sent = NESTINGS[nesting](value)
        received = way(sent)
        assert alike(received, sent), name


@pytest.mark.parametrize("name", LEAVES)
def test_hashable_container_round_trips_as_key_and_element(name):
    value = LEAVES[name]
    try:
        hash(value)
    except TypeError:
        pytest.skip("not hashable")
    for sent in ({value: 1, "other": 2}, {value, "other"}, frozenset({value}), {(value, 1): value}):
        assert alike(send(sent), sent)
        assert alike(dump(sent), sent)


@pytest.mark.parametrize("value", LEAVES.values(), ids=LEAVES)
def test_container_is_shareable(value):
    assert xichan.is_shareable(value) and xichan.is_shareable([value])


hashables = st.recursive(
    leaves | st.complex_numbers() | st.just(...),
    lambda children: st.frozensets(children, max_size=4) | st.lists(children, max_size=4).map(tuple),
    max_leaves=8,
)
containers = st.recursive(
    leaves | st.complex_numbers() | st.binary(max_size=40).map(bytearray) | st.builds(range, st.integers(0, 2**70)),
    lambda children: (
        st.lists(children, max_size=6)
        | st.lists(children, max_size=6).map(tuple)
        | st.dictionaries(hashables, children, max_size=40)
        | st.sets(hashables, max_size=40)
        | st.frozensets(hashables, max_size=4)
        | st.builds(slice, children, children, children)
    ),
    max_leaves=30,
)


@settings(max_examples=200)
@given(containers)
def test_any_container_round_trips(value):
    assert alike(send(value), value)
    assert alike(dump(value), value)


def test_dict_keeps_its_order():
    keys = [f"key {i * 7919 % 1000}" for i in range(1000)]
    value = dict.fromkeys(keys)
    del value[keys[3]], value[keys[500]]
    value[keys[3]] = "last"
    assert list(send(value).items()) == list(value.items())
    assert list(dump(value)) == list(value)


def test_set_with_deleted_elements_round_trips():
    value = set(range(500))
    value -= set(range(0, 500, 3))
    assert send(value) == value
    value.clear()
    assert send(value) == set()


@pytest.mark.parametrize("way", [send, dump, share])
@pytest.mark.parametrize(
    "make", [list, dict, set, bytearray, lambda: (1, TEXT), lambda: frozenset([1]), lambda: [TEXT]]
)
def test_two_references_arrive_as_two_references(way, make):
    one, other = make(), make()
    back = way([one, (other, one), {"k": one, "other": other}])
    assert back[0] is back[1][1] is back[2]["k"]
    assert back[1][0] is back[2]["other"] is not back[0]


@pytest.mark.parametrize("way", [send, dump, share, queue])
def test_containers_may_contain_themselves(way):
    items = [1]
    items.append(items)
    table = {"items": items}
    table["self"] = (table,)
    items.append(table)
    back = way(items)
    assert back[1] is back
    assert back[2]["items"] is back and back[2]["self"][0] is back[2]
    assert alike(back, items)
    for cycle in (items, table):
        cycle.clear()  # what arrived is not left to the garbage collector of later tests
    back[2].clear()
    back.clear()


def test_root_may_have_one_reference_from_inside():
    def make():
        items = []
        items.append([items])
        return items

    back = send(make())
    assert back[0][0] is back
    back.clear()
    gc.collect()


def test_shared_containers_are_written_once():
    value = [TEXT]
    for _ in range(60):
        value = [value, value]
    back = send(value)
    for _ in range(60):
        assert back[0] is back[1]
        back = back[0]
    assert back == [TEXT]
    many = [{"k": TEXT}] * 10_000
    assert len(xichan.dumps(many)) < 16 * 10_000 + 500
    back = send(many)
    assert len({id(item) for item in back}) == 1


@pytest.mark.parametrize("depth", [10, 10**3, 10**5])
@pytest.mark.parametrize("nest", [lambda v: [v], lambda v: {"k": v}, lambda v: (v, 1), lambda v: slice(v)])
def test_containers_of_any_depth_round_trip(nest, depth):
    def there_and_back():
        value = "bottom"
        for _ in range(depth):
            value = nest(value)
        assert alike(send(value), value)

    run_on_small_stack(there_and_back)


class List(list):
    pass


class Bytes(bytes):
    pass


SUBCLASSES = [List(), type("Dict", (dict,), {})(), type("Set", (set,), {})(), Bytes(b"x"),
              type("Str", (str,), {})("x"), type("Int", (int,), {})(7), type("Float", (float,), {})(1.0),
              type("Complex", (complex,), {})(1j), type("ByteArray", (bytearray,), {})()]  # fmt: skip


@pytest.mark.parametrize("value", SUBCLASSES, ids=lambda value: type(value).__name__)
def test_subclass_of_a_container_is_refused(value):
    tx, _rx = xichan.channel(1)
    for sent in (value, [value], {"k": (value,)}):
        with pytest.raises(xichan.NotShareableError, match=r"is not shareable; .*register") as caught:
            tx.send_nowait(sent)
        assert caught.value.item is value
        assert not xichan.is_shareable(sent)


class Opaque:
    pass


OPAQUE = Opaque()
PLACES = {
    "value": OPAQUE,
    "value.stop": slice(OPAQUE),
    "value[1]": [0, OPAQUE],
    "value[1][0]": (0, [OPAQUE]),
    "value['k']": {"a": 1, "k": OPAQUE},
    "value[1]['when']": (1, {"where": None, "when": OPAQUE}),
    "value[2.5][None][b'x']": {2.5: {None: {b"x": OPAQUE}}},
    "value[...]": {(1, 2): OPAQUE},
    "value{...}": {1, OPAQUE},
    "(key ... of value)": {"a": 1, OPAQUE: 2},
    "(key ... of value[3])[1]": [0, 0, 0, {(1, OPAQUE): 2}],
    "value[0].step[0]": [slice(1, 2, [OPAQUE])],
    "value[1][1]": [[], [[], OPAQUE]],
}


@pytest.mark.parametrize("place", PLACES)
def test_refusal_names_place_type_and_remedy(place):
    tx, _rx = xichan.channel(1)
    for how in (tx.send, xichan.dumps, xichan.share):
        with pytest.raises(xichan.NotShareableError) as caught:
            how(PLACES[place])
        name = f"{__name__}.Opaque"
        assert str(caught.value).startswith(f"{place}: {name} is not shareable; ")
        assert caught.value.path == place and caught.value.item is OPAQUE


def test_refusal_finds_a_place_behind_shared_and_cyclic_containers():
    shared, cycle = [TEXT], []
    cycle.append(cycle)
    tx, _rx = xichan.channel(1)
    with pytest.raises(xichan.NotShareableError) as caught:
        tx.send([shared, cycle, {"s": shared, "c": cycle, "x": [shared, OPAQUE]}])
    assert caught.value.path == "value[2]['x'][1]"
    cycle.clear()


def test_long_path_is_abbreviated():
    value = [OPAQUE]
    for _ in range(100):
        value = {"k": value}
    tx, _rx = xichan.channel(1)
    with pytest.raises(xichan.NotShareableError) as caught:
        tx.send(value)
    assert caught.value.path == "value" + "['k']" * 16 + "[... 69 more ...]" + "['k']" * 15 + "[0]"


def test_endpoints_and_views_travel_inside_containers():
    tx, rx = xichan.channel(8)
    inner, inner_rx = xichan.channel(1)
    shared = xichan.share([TEXT, {"k": b"x" * 1000}])
    tx.send({"tx": inner, "all": [inner_rx, shared, shared]})
    back = rx.recv()
    back["tx"].send([1])
    assert back["all"][0].recv() == [1]
    assert back["all"][1] is back["all"][2] and back["all"][1].value() == shared.value()
    tx.send(((b"y" * 1000, TEXT), 1))
    view = rx.recv(copy=False)
    tx.send([view[0], {"v": view[0][0]}])
    assert rx.recv() == [(b"y" * 1000, TEXT), {"v": b"y" * 1000}]
    for value in ({"tx": inner}, [xichan.Queue()]):
        with pytest.raises(xichan.NotShareableError, match="cannot leave its process"):
            xichan.dumps(value)


def test_queue_in_a_container_keeps_identity():
    items = xichan.Queue()
    back = send([items, {"again": items}])
    back[0].put([1])
    assert back[1]["again"].get() == [1]


@pytest.mark.parametrize("how", ["send", "dumps", "share"])
def test_containers_survive_failing_arena_allocations(how):
    tx, rx = xichan.channel(1)
    before = alive()
    value = [{f"key {i}": [TEXT, {i}] for i in range(50)}, bytearray(100), range(10)]
    there = {"send": tx.send_nowait, "dumps": xichan.dumps, "share": xichan.share}[how]
    back = {"send": lambda _: rx.recv_nowait(), "dumps": xichan.loads, "share": xichan.Shared.value}[how]

    def nothing_came_of_it():
        assert alive() == before and len(rx) == 0

    assert alike(back(fail_each_allocation(lambda: there(value), nothing_came_of_it)), value)
    assert left_over(before) == {}


def test_encoding_survives_failing_python_allocations():
    run_without_memory(
        """
    import dataclasses
    from support.record_types import Point, Slotted
    from support.containers import alike

    tx, rx = xichan.channel(1)
    values = [
        [range(3), {1: [range(4)]}, {(range(5),)}],
        [Point(1, [range(6)]), Slotted("a", Point(2))],
    ]
    for value in values:
        tx.send(value)  # imports what it needs
        expected = rx.recv()
        n = 0
        while not without_memory(n, lambda: tx.send_nowait(value))[0]:
            assert len(rx) == 0
            n += 1
        assert n > 0
        assert rx.recv() == expected
    """
    )


def test_refusals_and_sends_do_not_leak():
    loop_without_leak(
        "tx.send([{'k': [i, {i}]}, range(i), slice(i), bytearray(20), 1j, (x, x), cycle]); rx.recv()[-1].clear(); "
        "refused(lambda: tx.send([{'k': object}, range(i)]))",
        setup="""
        x = ["twice"]
        cycle = []
        cycle.append(cycle)
        """,
        rounds=3000,
    )
