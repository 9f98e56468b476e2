"""Generated values of every kind that can be sent, by each way: type, bits, order, identity, equality and repr stay.

The argument is the number of values.
"""

import array
import builtins
import functools
import re

from common import assert_released, feed_watchdog, size
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support import alive
from support import record_strategies as records
from support import record_types as t
from support.record_samples import CLASSES
from support.reference_records import Encoder, differences, round_trip

import xichan

try:
    import numpy
except ImportError:
    numpy = None

ADDRESS = re.compile("0x[0-9a-f]+")
INCOMPARABLE = re.compile(r"array\(|nan", re.IGNORECASE)  # NumPy compares by element; a NaN equals only itself
keys = st.recursive(
    records.hashables().filter(records.is_hashable)
    | st.complex_numbers()
    | st.just(...)
    | st.builds(range, st.integers()),
    lambda children: (
        st.frozensets(children, max_size=3)
        | st.lists(children, max_size=3).map(tuple)
        | st.builds(t.Frozen, children, children)
        | st.builds(t.Triple, children, children, children)
    ),
    max_leaves=4,
)
arrays = st.one_of(
    st.builds(array.array, st.sampled_from("bBhHiIlLqQ"), st.lists(st.integers(0, 127), max_size=200)),
    st.builds(array.array, st.sampled_from("fd"), st.lists(st.floats(width=32), max_size=200)),
    st.binary(max_size=800).map(memoryview),
    # Without a NaN, which the repr of a memoryview does not show.
    st.lists(st.floats(allow_nan=False), min_size=3, max_size=3).map(
        lambda numbers: memoryview(array.array("d", numbers)).cast("B").cast("d", (3, 1))
    ),
)
if numpy is not None:
    dtypes = ["i1", "<u4", ">f8", "c16", "?", "M8[us]", "S5", "<U3", [("a", "<i4"), ("b", ">f4", (2,))]]
    shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)
    arrays |= st.builds(
        lambda dtype, shape, order: numpy.ndarray(shape, dtype, b"\1\0\0\0" * 1024, order=order),
        st.sampled_from(dtypes), shapes, st.sampled_from("CF"),
    )  # fmt: skip


# Behind a composite strategy, whose repr has the children once.
@st.composite
def containers(draw, children):
    return draw(_containers(children))


@functools.cache
def _containers(children):
    dicts = st.dictionaries(keys, children, max_size=6)
    found = st.one_of(
        st.lists(children, max_size=5),
        st.lists(children, max_size=5).map(tuple),
        dicts,
        st.dictionaries(st.integers(), children, min_size=33, max_size=40),
        st.sets(keys, max_size=5),
        st.frozensets(keys, max_size=5),
        st.builds(slice, children, children, children),
        records.records(children),
    )
    return found | dicts.map(builtins.frozendict) if hasattr(builtins, "frozendict") else found


leaves = records.hashables() | st.complex_numbers() | st.binary(max_size=40).map(bytearray) | arrays
values = st.recursive(leaves, containers, max_leaves=12)
# How the value is arranged: alone, several times, around itself.
ARRANGEMENTS = [
    lambda value: value,
    lambda value: [value, (value, [value]), {"key": value}],
    lambda value: t.Point(value, {1: [value]}),
    lambda value: around_itself([value]),
]


def around_itself(items):
    items.append({"self": (items,)})
    return items


def by_channel(ends, value):
    ends[0].send(value)
    return ends[1].recv()


def by_view(ends, value):
    ends[0].send([value])
    return ends[1].recv(copy=False).value()[0]


def by_batch(ends, value):
    ends[0].send_many([value, 1])
    return ends[1].recv_many(2)[0]


def by_select(ends, value):
    xichan.select([(ends[0], value)])
    return xichan.select([ends[1]])[1]


def by_select_of_views(ends, value):
    xichan.select([(ends[0], [value])])
    return xichan.select([ends[1]], copy=False)[1].value()[0]


def by_queue(ends, value):
    queue = xichan.Queue()
    queue.put(value)
    return queue.get()


def by_share(ends, value):
    ends[0].send(xichan.share([value]))
    return ends[1].recv().value()[0]


def by_dump(ends, value):
    return xichan.loads(xichan.dumps(value), classes=CLASSES)


def by_dump_of_a_view(ends, value):
    ends[0].send([value])
    return xichan.loads(xichan.dumps(ends[1].recv(copy=False)), classes=CLASSES)[0]


WAYS = [
    by_channel, by_view, by_batch, by_select, by_select_of_views, by_queue, by_share, by_dump, by_dump_of_a_view
]  # fmt: skip


def shown(value):
    """Return the characters of a repr in order: sets may arrive in another order."""
    return sorted(ADDRESS.sub("", repr(value)))


def equals(one, other):
    """Return whether two values are equal, or the type of the exception that comparing them raises."""
    try:
        return bool(one == other)
    except (ValueError, ArithmeticError) as error:  # of NumPy arrays and signaling NaNs
        return type(error)


def check(ends, value, way):
    back = way(ends, value)
    assert differences(Encoder().encode(value), Encoder().encode(back)) == [], way
    assert shown(back) == shown(value), way
    return back


def main():
    number = size()
    before = alive()
    done = 0

    @settings(
        max_examples=number, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    @given(values, st.sampled_from(ARRANGEMENTS), st.sampled_from(WAYS[1:]))
    def run(value, arrange, way):
        nonlocal done
        sent = arrange(value)
        with (ends := xichan.channel(4))[0], ends[1]:
            first, other = check(ends, sent, by_channel), check(ends, sent, way)
            if arrange is not ARRANGEMENTS[-1]:
                same = equals(first, sent)
                assert same == equals(other, sent)
                if not INCOMPARABLE.search(repr(sent)):
                    assert same == equals(round_trip(sent), sent)
        t.CALLS.clear()
        done += 1
        if done % 10 == 0:
            feed_watchdog()

    run()
    assert done >= number or number < 200, done
    print(f"value_kinds: {done} values, each by a channel and another way")
    assert_released(before)


if __name__ == "__main__":
    main()
