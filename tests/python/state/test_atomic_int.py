"""AtomicInt: values at the ends of its range, and additions of many threads and interpreters."""

import contextlib

import pytest
from support import Call, execute, interpreter

import xichan
from xichan import AtomicInt

LEAST, MOST = -(2**63), 2**63 - 1


def test_value_can_be_read_and_assigned():
    number = AtomicInt(7)
    assert number.value == 7 and int(number) == 7
    number.value = LEAST
    assert number.value == LEAST


def test_add_returns_the_new_value():
    number = AtomicInt()
    assert number.add(5) == 5 and number.add(-8) == -3 and number.add() == -2 and number.add(n=2) == 0


def test_exchange_returns_the_previous_value():
    number = AtomicInt(1)
    assert number.exchange(2) == 1 and number.value == 2


def test_compare_exchange_stores_only_if_the_value_is_expected():
    number = AtomicInt(1)
    assert not number.compare_exchange(2, 3)
    assert number.value == 1
    assert number.compare_exchange(expected=1, new=3)
    assert number.value == 3


@pytest.mark.parametrize(
    "value, amount", [(MOST, 1), (LEAST, -1), (1, MOST), (-2, LEAST), (MOST - 3, 4), (2**62, 2**62)]
)
def test_overflow_changes_nothing(value, amount):
    number = AtomicInt(value)
    with pytest.raises(OverflowError):
        number.add(amount)
    assert number.value == value


@pytest.mark.parametrize("value, amount", [(MOST, -1), (MOST - 1, 1), (LEAST, 1), (-1, LEAST + 1), (2**62, -(2**62))])
def test_additions_at_the_ends_are_exact(value, amount):
    assert AtomicInt(value).add(amount) == value + amount


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**100])
def test_values_out_of_range_are_refused(value):
    number = AtomicInt()
    for call in (AtomicInt, number.add, number.exchange, lambda v: number.compare_exchange(0, v)):
        with pytest.raises(OverflowError):
            call(value)
    with pytest.raises(OverflowError):
        number.value = value
    assert number.value == 0


@pytest.mark.parametrize("value", [1.0, "1", None, b"1", ()])
def test_other_types_are_refused(value):
    number = AtomicInt()
    for call in (AtomicInt, number.add, number.exchange, lambda v: number.compare_exchange(v, 0)):
        with pytest.raises(TypeError):
            call(value)


def test_value_cannot_be_deleted():
    with pytest.raises(AttributeError):
        del AtomicInt().value


ADD_BESIDE_JUMPS = """
wrapped = 0
for _ in range(20_000):
    try:
        wrapped += number.add(5) < 0
    except OverflowError:
        pass
"""


def test_value_that_jumps_to_the_end_never_wraps_around():
    number = AtomicInt()
    with interpreter(number=number) as interp:
        call = execute(interp, ADD_BESIDE_JUMPS)
        while call.is_alive():
            number.value = MOST - 2
            assert number.value >= MOST - 2
            number.value = 0
        call.result()
        interp.exec("assert wrapped == 0")


def test_no_addition_of_four_interpreters_is_lost():
    number = AtomicInt()
    near = AtomicInt(2**62 - 2000)  # where additions change their way
    with contextlib.ExitStack() as stack:
        interps = [stack.enter_context(interpreter(number=number, near=near)) for _ in range(4)]
        calls = [execute(interp, "for _ in range(5000): number.add(1), near.add(1)") for interp in interps]
        calls += [Call(lambda: [number.add(-1) for _ in range(1000)])]
        for call in calls:
            call.result()
    assert number.value == 19_000
    assert near.value == 2**62 + 18_000


def test_add_never_wraps_around_beside_assignments():
    number, stop = AtomicInt(), xichan.Event()
    with interpreter(number=number, stop=stop) as interp:
        call = execute(
            interp,
            """
            while not stop.is_set():
                for _ in range(1000):
                    number.value = 2**63 - 1
                    number.value = 0
            """,
        )
        try:
            for _ in range(2_000_000):
                with contextlib.suppress(OverflowError):
                    assert number.add() > 0
        finally:
            stop.set()
            call.result()


def test_repr_shows_name_and_value():
    assert repr(AtomicInt(3, name="jobs")) == "<xichan.AtomicInt 'jobs' value 3>"
    assert repr(AtomicInt(-4)).endswith(" value -4>")
    assert xichan.AtomicInt.__doc__
