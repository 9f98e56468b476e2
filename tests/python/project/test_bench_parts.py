"""The parts of xichan.bench: roles, lower bounds, contenders, values, targets. No test depends on speed."""

import copy
import dataclasses

import pytest

pytest.importorskip("concurrent.interpreters")

from xichan.bench import _lower_bound, contenders, lower_bound, roles, scenarios, targets, values  # noqa: E402


class RecordingContender(contenders.Contender):
    """A list as a channel within one thread; records the arguments of its calls."""

    put_arguments, get_arguments = "timeout=2.5", "copy=False, timeout=3"

    def __init__(self, batches):
        self.batches, self.queue, self.calls = batches, [], set()

    def record(self, name, arguments):
        self.calls.add((name, *arguments.items()))

    def sender(self, sending):
        return lambda value, **arguments: (self.queue.append(value), self.record("put", arguments))

    def receiver(self, receiving):
        return lambda **arguments: (self.queue.pop(0), self.record("get", arguments))[0]

    def batch_sender(self, sending):
        def put(batch, **arguments):
            self.queue += batch
            self.record("put_many", arguments)

        return put if self.batches else None

    def batch_receiver(self, receiving):
        def get(n, **arguments):
            taken, self.queue = self.queue[:n], self.queue[n:]
            self.record("get_many", arguments)
            return taken

        return get if self.batches else None


@pytest.mark.parametrize(
    "send, receive, batches",
    [
        ("check_send", "check_receive", False),
        ("send", "receive", False),
        ("send_turns", "receive", False),
        ("send_batches", "receive_batches", False),
        ("send_batches", "receive_batches", True),
    ],
)
def test_roles_pass_the_additional_arguments(send, receive, batches):
    contender = RecordingContender(batches)
    job = {"payload": "int", "n": 6, "warm": 1, "batch": 3}
    sending = roles.ROLES[send](contender, [0] if send == "send_turns" else 0, job)
    receiving = roles.ROLES[receive](contender, 0, job)
    assert contender.queue == []  # the warm-up messages have been received
    sending()
    assert contender.queue == [values.make("int")] * 6
    assert "wrong" not in receiving() and contender.queue == []
    suffix = "_many" * batches
    assert contender.calls == {
        (f"put{suffix}", ("timeout", 2.5)),
        (f"get{suffix}", ("copy", False), ("timeout", 3)),
    }


def test_ask_passes_the_additional_arguments():
    contender = RecordingContender(False)
    work = roles.ROLES["ask"](contender, (0, 0), {"payload": "int", "n": 5, "gap": 0})
    assert work()["each"] > 0 and contender.queue == []
    assert contender.calls == {("put", ("timeout", 2.5)), ("get", ("copy", False), ("timeout", 3))}


@pytest.mark.parametrize("n, error", [(0, ValueError), (-1, ValueError), ("x", TypeError), (2**70, OverflowError)])
@pytest.mark.parametrize("name", ["ring", "ring_round_trip"])
def test_lower_bound_functions_reject_invalid_counts(name, n, error):
    with pytest.raises(error, match="n must be positive" if error is ValueError else None):
        getattr(_lower_bound, name)(n)
    assert getattr(_lower_bound, name)(1) > 0


@pytest.mark.parametrize(
    "args, error, match",
    [
        ((0, 0.0), ValueError, "n must be positive"),
        ((1, -1.0), ValueError, "rest must be between 0 and 1"),
        ((1, 1.5), ValueError, "rest must be between 0 and 1"),
        ((1, float("nan")), ValueError, "rest must be between 0 and 1"),
        ((1, "x"), TypeError, None),
        ((1,), TypeError, "takes 2 arguments"),
    ],
)
def test_rested_trip_rejects_invalid_arguments(args, error, match):
    with pytest.raises(error, match=match):
        _lower_bound.rested_trip(*args)
    assert _lower_bound.rested_trip(3, 0.001) > 0


def test_fresh_sender_sends_equal_but_distinct_objects():
    contender = RecordingContender(False)
    work = roles.ROLES["send"](contender, 0, {"payload": "bytes:1000", "n": 3, "warm": 1, "fresh": True})
    work()
    assert contender.queue == [values.make("bytes:1000")] * 4 and len(set(map(id, contender.queue))) == 4


def test_parked_round_trip_is_compared_with_a_bare_trip_after_the_same_rest():
    names = ["round-trip/parked", "one-way/int"]
    parts = lower_bound.parts([scenarios.ALL[name] for name in names])
    assert parts["rested trip"](0.02) > 0 and "rested trip" not in lower_bound.parts([scenarios.ALL["one-way/int"]])
    run = {
        "lower_bound": {"loop": [0.0], "call": [1.0], "rested trip": [10.0, 12.0]},
        "scenarios": {"round-trip/parked": {"results": {"xichan": [12.0]}}},
        "environment": {"python": "3.14.0"},
    }
    row = next(row for row in targets.rows(run) if "bare futex trip" in row.title)
    assert (row.shown, row.verdict) == ("1.2x", "reached")


@pytest.mark.parametrize("seconds, shown, verdict", [(65e-9, "60 ns", "reached"), (66e-9, "61 ns", "NOT reached")])
def test_calls_on_shared_state_are_compared_without_the_loop(seconds, shown, verdict):
    run = {
        "lower_bound": {"loop": [5e-9, 6e-9]},
        "scenarios": {"state/atomic_add": {"results": {"xichan-state": [9e-8, seconds]}}},
        "environment": {"python": "3.14.0"},
    }
    rows = {row.title: row for row in targets.rows(run)}
    row = rows["AtomicInt.add(1), without the loop"]
    assert (row.shown, row.required, row.verdict) == (shown, "at most 60 ns", verdict)
    assert rows["Cell.get() of an int, without the loop"].verdict == "not measured"


def test_a_run_of_everything_leaves_out_what_must_be_named():
    groups = {one.group for one in scenarios.choose(())}
    assert "state" in groups and not {one for one in groups if one.startswith(("growth", "mixed"))}
    assert {one.name for one in scenarios.choose(["mixed-*"])} == {
        f"mixed-{r}/{n}" for r in (50, 95) for n in (1, 2, 4, 8)
    }
    assert "state" not in {one.group for one in scenarios.choose((), quick=True)}


def test_lower_bound_includes_one_loop_iteration():
    found = {"loop": [3.0, 4.0], "call": [23.0], "ring": [10.0], "create:int": [13.0]}
    assert lower_bound.bests(found) == {"call": 20.0, "ring": 10.0, "create:int": 10.0}
    assert lower_bound.of_scenario(scenarios.ALL["single-thread/int"], found) == 3 + 2 * 20 + 10
    assert lower_bound.of_scenario(scenarios.ALL["one-way/int"], found) == 3 + 20 + 10
    run = {
        "lower_bound": found,
        "scenarios": {"single-thread/int": {"results": {"xichan": [83.0]}}},
        "environment": {"python": "3.14.0"},
    }
    assert next(row for row in targets.rows(run) if "two no-op calls" in row.title).shown == "2x"


def test_uncopied_values_hold_no_memory():
    assert contenders.load("simple-queue").holds(1000, False) == 0
    assert contenders.load("xichan").holds(1000, True) == 0 and contenders.load("xichan").holds(1000, False) == 1000
    assert contenders.load("mp-pipe").holds(1000, True) == 1000


def test_unsupported_operation_raises_unavailable():
    for call, complaint in (("pool", "has no pool"), ("selector", "cannot wait for several at once")):
        with pytest.raises(contenders.Unavailable, match=complaint):
            getattr(contenders.load("simple-queue"), call)(2)


def test_same_compares_types_and_bits():
    assert values.same((1, ("a", -0.0)), (1, ("a", -0.0)))
    for one, other in ((1, True), (1, 1.0), (0.0, -0.0), ("a", b"a"), ((1,), (1, 2)), ((1, (2,)), (1, (2.0,)))):
        assert not values.same(one, other)
    assert values.difference(values.make("record"), "record") is None
    assert "received list" in values.difference(list(values.RECORD), "record")


def test_same_compares_containers_and_dataclasses():
    for name in ("dict20", "dicts100", "json10", "dataclass", "dbrow", "list1000"):
        assert values.same(values.make(name), copy.deepcopy(values.make(name)))
    assert not values.same({"a": 1, "b": 2}, {"b": 2, "a": 1}) and not values.same([1], [1.0])
    order = values.make("dataclass")
    assert not values.same(order, dataclasses.replace(order, price=-order.price))


def test_targets_name_existing_scenarios_and_contenders():
    for version in ((3, 14), (3, 15)):
        for target in targets.targets(version):
            assert {target.contender, target.baseline} <= set(contenders.names())
            assert scenarios.ALL[target.scenario].takes(contenders.load(target.contender)), target
            base = scenarios.ALL[target.base_scenario or target.scenario]
            assert base.takes(contenders.load(target.baseline)), target
