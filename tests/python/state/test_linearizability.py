"""Histories of four interpreters are linearizable. tests/stress/python/state_histories.py records longer ones."""

import pytest
from support.linearizability import ABSENT, Operation, cell_step, final_states, int_step, map_step

import xichan


def record_map(table, seed, count, keys):
    """Run random operations on a Map. Returns them by key."""
    import random
    from time import monotonic_ns

    generator = random.Random(seed)
    histories = {key: [] for key in range(keys)}
    for i in range(count):
        key = generator.randrange(keys)
        name = generator.choice(["get", "get", "get", "set", "pop", "add", "setdefault", "compare_and_set"])
        args = {
            "set": (seed * count + i,),
            "add": (generator.randrange(5),),
            "setdefault": (i,),
            "compare_and_set": (generator.randrange(20), i),
        }.get(name, ())
        call = table.pop if name == "pop" else getattr(table, name)
        more = (None,) if name == "pop" else args
        start = monotonic_ns()
        result = call(key, *more)
        histories[key].append((start, monotonic_ns(), name, args, result))
    return histories


def record_object(obj, seed, count, calls):
    """Run random operations on a Cell or an AtomicInt."""
    import random
    from time import monotonic_ns

    generator = random.Random(seed)
    history = []
    for i in range(count):
        name = generator.choice(calls)
        args = {
            "set": (seed * count + i,),
            "swap": (seed * count + i,),
            "add": (generator.randrange(5),),
            "exchange": (i,),
        }.get(name, ())
        if name in ("compare_and_set", "compare_exchange"):
            args = (generator.randrange(2, 40), i)
        start = monotonic_ns()
        if name in ("value", "version"):
            result = getattr(obj, name)
        else:
            result = getattr(obj, name)(*args)
        history.append((start, monotonic_ns(), name, args, result))
    return history


def merged(histories):
    return sorted(Operation(*operation) for history in histories for operation in history)


@pytest.mark.parametrize("options", [{}, {"max_items": 1000}], ids=["unbounded", "bounded"])
def test_histories_of_a_map_are_linearizable(options):
    table = xichan.Map(**options)
    with xichan.InterpreterPoolExecutor(4) as pool:
        recorded = [future.result(120) for future in [pool.submit(record_map, table, i, 800, 3) for i in range(4)]]
    for key in range(3):
        history = merged(histories[key] for histories in recorded)
        assert final_states(history, ABSENT, map_step), history


def test_histories_of_a_cell_are_linearizable():
    cell = xichan.Cell(0)
    calls = ["get", "get", "version", "set", "swap", "compare_and_set"]
    with xichan.InterpreterPoolExecutor(4) as pool:
        recorded = [
            future.result(120) for future in [pool.submit(record_object, cell, i, 800, calls) for i in range(4)]
        ]
    assert final_states(merged(recorded), (1, 0), cell_step)


def test_histories_of_an_atomic_int_are_linearizable():
    number = xichan.AtomicInt()
    calls = ["value", "add", "add", "exchange", "compare_exchange"]
    with xichan.InterpreterPoolExecutor(4) as pool:
        recorded = [
            future.result(120) for future in [pool.submit(record_object, number, i, 800, calls) for i in range(4)]
        ]
    assert final_states(merged(recorded), 0, int_step)


def operations(*parts):
    return [Operation(*part) for part in parts]


@pytest.mark.parametrize(
    "history",
    [
        operations((0, 1, "set", (1,), None), (2, 3, "get", (), None)),  # a lost write
        operations((0, 1, "add", (1,), 1), (2, 3, "add", (1,), 1)),  # a lost update
        operations((0, 5, "set", (1,), None), (1, 2, "get", (), 1), (3, 4, "get", (), None)),  # a value that goes back
        operations((0, 9, "pop", (), 1), (0, 9, "pop", (), 1), (0, 9, "set", (1,), None)),  # one value taken twice
        operations((0, 1, "set", (1,), None), (2, 3, "compare_and_set", (2, 3), True)),  # a wrong comparison
    ],
)
def test_checker_refuses_histories_that_are_not_linearizable(history):
    assert not final_states(history, ABSENT, map_step)


def test_checker_accepts_any_order_of_overlapping_operations():
    history = operations(
        (0, 9, "set", (1,), None), (1, 8, "set", (2,), None), (2, 7, "get", (), 2), (10, 11, "get", (), 1)
    )
    assert final_states(history, ABSENT, map_step) == {1}


def test_checker_handles_long_histories_without_overlap():
    history = operations(*((2 * i, 2 * i + 1, "add", (1,), i + 1) for i in range(20_000)))
    assert final_states(history, ABSENT, map_step) == {20_000}
