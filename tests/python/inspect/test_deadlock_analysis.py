"""The analysis behind xichan.deadlocks(), on made-up states of a process: what is a deadlock, and what is not."""

import dataclasses

import pytest

from xichan._deadlocks.groups import grouped
from xichan._deadlocks.liveness import Outside, World, find_blocked
from xichan._deadlocks.wording import Wording
from xichan._inspect import ChannelInspection, EndpointInspection, Holder, Inspection, ObjectInspection, Wait
from xichan._stats import ChannelStats

PID = 100  # also the native id of the main thread


def endpoint(side, interpreter, line=1):
    return EndpointInspection(
        side, interpreter, "main" if interpreter == 0 else None, 100, None, f"/app/made.py:{line}"
    )


def channel(id, senders=(0,), receivers=(0,), *, depth=0, capacity=8, max_bytes=None, name=None, in_transit=0):
    """A channel. senders, receivers: the interpreters that hold an endpoint."""
    stats = ChannelStats(
        id, name, "mpmc", capacity, max_bytes, depth, 0, 0, 0, 0, len(senders), len(receivers), 0, 0, 0, 0, 0, 0
    )
    sends = tuple(endpoint("sender", interpreter) for interpreter in senders)
    receives = tuple(endpoint("receiver", interpreter) for interpreter in receivers)
    return ChannelInspection(stats, "open", sends, receives, in_transit, 0, (), 0.0, 0.0)


def wait(id, thread, side=None, channels=(), objects=(), *, interpreter=0, worker=None, **changes):
    made = Wait(
        id=id, call={"sender": "Sender.send", "receiver": "Receiver.recv", None: "Lock.acquire"}[side],
        channels=channels, sides=(side,) * len(channels), objects=objects, until_closed=False, more=0,
        interpreter=interpreter, interpreter_name="main" if interpreter == 0 else worker,
        thread=thread, thread_name=f"thread {thread}", coroutine=False, place=f"/app/program.py:{id}", function="work",
        seconds=5.0, timeout=False, idle=False,
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def lock(id, kind="Lock", owner=None, **detail):
    return ObjectInspection(kind, id, f"object {id}", (), owner, detail)


def held_by(thread, interpreter=0):
    return Holder(interpreter, None, thread, f"thread {thread}")


def joining(thread, own=True):
    return Outside(thread, "MainThread", own, "Thread.join", "main", "/app/program.py:99")


def world(waits, channels=(), objects=(), *, live=(), outside=(), of_main=None, **more):
    """A state in which these threads exist: those that wait, those that are live, and those outside."""
    inspection = Inspection(
        time=0.0, pid=PID, channels=tuple(channels), objects=tuple(objects), waits=tuple(waits), workers=(), remote=(),
        unshown_waits=0,
    )  # fmt: skip
    threads = {each.thread for each in (*waits, *outside)} | set(live)
    known = threads if of_main is None else of_main
    return World(inspection, tuple(waits), frozenset(threads), frozenset(known), tuple(outside), **more)


def found(state):
    """The ids of the waits that are reported."""
    return {each.id for thread in find_blocked(state) for each in thread.reported}


# What is a deadlock


def test_receive_whose_only_senders_are_kept_by_blocked_threads():
    assert found(world([wait(1, 5, "receiver", (7,))], [channel(7)], outside=[joining(PID)])) == {1}


def test_wait_of_a_thread_on_its_own_channel():
    assert found(world([wait(1, PID, "receiver", (7,))], [channel(7)])) == {1}


def test_cycle_of_full_channels_between_interpreters():
    waits = [wait(1, 5, "sender", (7,), interpreter=1), wait(2, 6, "sender", (8,), interpreter=2)]
    channels = [channel(7, [1], [2], depth=8), channel(8, [2], [1], depth=8)]
    assert found(world(waits, channels, running=frozenset({1, 2}))) == {1, 2}


def test_cycle_is_found_while_other_interpreters_are_live():
    waits = [wait(1, 5, "sender", (7,), interpreter=1), wait(2, 6, "sender", (8,), interpreter=2)]
    channels = [channel(7, [1], [2], depth=8), channel(8, [2], [1], depth=8)]
    assert found(world(waits, channels, live=[PID], running=frozenset({1, 2}))) == {1, 2}


def test_lock_order_is_found_while_the_program_goes_on():
    waits = [wait(1, 5, objects=(7,)), wait(2, 6, objects=(8,))]
    objects = [lock(7, "RLock", held_by(6)), lock(8, "RLock", held_by(5))]
    assert found(world(waits, objects=objects, live=[PID])) == {1, 2}


def test_rlock_of_a_thread_that_has_ended():
    assert found(world([wait(1, 5, objects=(7,))], objects=[lock(7, "RLock", held_by(999))], live=[PID])) == {1}


@pytest.mark.parametrize("kind", ["Lock", "Semaphore", "Event", "Barrier", "Condition", "Cell", "Map"])
def test_wait_for_an_object_without_a_live_thread(kind):
    assert found(world([wait(1, 5, objects=(7,))], objects=[lock(7, kind)], outside=[joining(PID)])) == {1}


def test_sender_in_a_message_that_no_thread_receives():
    assert found(world([wait(1, PID, "receiver", (7,))], [channel(7, [], [0], in_transit=1)])) == {1}


def test_sender_of_an_interpreter_in_which_no_thread_runs():
    assert found(world([wait(1, PID, "receiver", (7,))], [channel(7, [3], [0])])) == {1}


def test_select_of_channels_that_no_live_thread_holds():
    assert found(world([wait(1, PID, "receiver", (7, 8))], [channel(7), channel(8)])) == {1}


def test_coroutines_of_a_quiet_event_loop():
    waits = [wait(1, PID, "receiver", (7,), coroutine=True), wait(2, PID, "receiver", (8,), coroutine=True)]
    assert found(world(waits, [channel(7), channel(8)], loops=frozenset({PID}))) == {1, 2}


def test_a_thread_that_only_looks_is_not_live():
    assert found(world([wait(1, 5, "receiver", (7,))], [channel(7)], running=frozenset({4}), looks_from=4)) == {1}


# What is not


@pytest.mark.parametrize(
    "change",
    [
        {"live": [PID]},  # a thread of the interpreter that holds a Sender
        {"live": [6], "of_main": {5, PID}},  # a thread without Python code
        {"has_handlers": True, "outside": [joining(PID)]},
        {"running": frozenset({1}), "outside": [joining(PID, own=False)]},  # it may run in interpreter 1
    ],
    ids=["live thread", "foreign thread", "signal handler", "unknown call"],
)
def test_a_live_thread_can_end_the_wait(change):
    assert found(world([wait(1, 5, "receiver", (7,))], [channel(7)], **change)) == set()


@pytest.mark.parametrize(
    "changes",
    [{"depth": 1}, {"senders": [None]}, {"senders": [1]}, {"receivers": [0, 1]}, {"name": "known", "senders": [2]}],
    ids=["value queued", "Sender of C++", "Sender elsewhere", "Receiver elsewhere", "Sender by name"],
)
def test_the_state_of_the_channel_can_end_the_wait(changes):
    waits = [wait(1, 5, "receiver", (7,)), wait(2, 6, "receiver", (8,), interpreter=1, timeout=True)]
    channels = [channel(7, **changes), channel(8, [1], [1])]
    assert found(world(waits, channels, of_main={5}, running=frozenset({1, 2}))) == set()


def test_a_wait_with_a_timeout_and_what_it_may_do_then():
    waits = [wait(1, 5, "receiver", (7,)), wait(2, 6, "receiver", (8,), timeout=True)]
    assert found(world(waits, [channel(7), channel(8)])) == set()


def test_a_sender_with_room_is_about_to_go_on():
    assert found(world([wait(1, PID, "sender", (7,))], [channel(7, depth=7)])) == set()
    assert found(world([wait(1, PID, "sender", (7,))], [channel(7, depth=8)])) == {1}
    assert found(world([wait(1, PID, "sender", (7,))], [channel(7, depth=3, max_bytes=10)])) == {1}


def test_a_channel_that_is_finished_wakes_its_waits():
    ended = dataclasses.replace(channel(7), state="no senders")
    assert found(world([wait(1, PID, "receiver", (7,))], [ended])) == set()


def test_waits_are_ended_one_after_another():
    """Thread 5 waits for 6, which waits for 7, which waits for a live one."""
    waits = [wait(number, number, "receiver", (number,), interpreter=number) for number in (5, 6, 7)]
    channels = [channel(number, [number + 1], [number]) for number in (5, 6, 7)]
    interpreters = frozenset({5, 6, 7, 8})
    assert found(world(waits, channels, of_main={5, 6, 7}, running=interpreters)) == set()
    assert found(world(waits, channels, of_main={5, 6, 7}, running=interpreters - {8})) == {5, 6, 7}


def test_an_interpreter_without_threads_can_be_called_by_a_live_thread():
    state = [wait(1, 5, "receiver", (7,), interpreter=1)], [channel(7, [2], [1])]
    assert found(world(*state, running=frozenset({1}), live=[PID])) == set()
    assert found(world(*state, running=frozenset({1}))) == {1}


def test_a_lock_may_be_released_by_any_live_thread():
    state = [wait(1, 5, objects=(7,)), wait(2, 6, objects=(8,))]
    objects = [lock(7, "Lock", held_by(6)), lock(8, "Lock", held_by(5))]
    assert found(world(state, objects=objects, live=[PID])) == set()


def test_an_rlock_is_released_by_its_live_owner():
    assert found(world([wait(1, 5, objects=(7,))], objects=[lock(7, "RLock", held_by(6))], live=[6])) == set()


def test_the_program_may_interrupt_a_task():
    task = wait(1, 5, "receiver", (7,), interpreter=1, worker="pool_0")
    assert found(world([task], [channel(7, [1], [1])], live=[PID], running=frozenset({1}))) == set()
    assert found(world([task], [channel(7, [1], [1])], outside=[joining(PID)], running=frozenset({1}))) == {1}


def test_an_event_loop_with_other_work_is_live():
    waits = [wait(1, PID, "receiver", (7,), coroutine=True)]
    assert found(world(waits, [channel(7)])) == set()


def test_a_select_of_which_not_all_cases_are_known():
    one = wait(1, 5, "receiver", (7,), interpreter=1, more=3)
    state = [one], [channel(7, [1], [1])]
    assert found(world(*state, running=frozenset({1}), live=[PID])) == set()
    assert found(world(*state, running=frozenset({1}))) == {1}


def test_idle_workers_are_not_reported():
    waits = [wait(1, 5, "receiver", (7,), idle=True), wait(2, PID, "receiver", (8,))]
    assert found(world(waits, [channel(7), channel(8)])) == {2}


# How it is reported


def report(state):
    return [(group, Wording(state, group)) for group in grouped(state, find_blocked(state))]


def test_unrelated_waits_are_separate_deadlocks():
    waits = [
        wait(1, 5, "sender", (7,), interpreter=1), wait(2, 6, "sender", (8,), interpreter=2),
        wait(3, 8, "receiver", (9,), interpreter=3),
    ]  # fmt: skip
    channels = [channel(7, [1], [2], depth=8), channel(8, [2], [1], depth=8), channel(9, [3], [3])]
    groups = report(world(waits, channels, running=frozenset({1, 2, 3})))
    assert sorted(sorted(each.id for each in group.waits) for group, _ in groups) == [[1, 2], [3]]


def test_the_text_names_calls_endpoints_and_lines():
    state = world([wait(12, 5, "receiver", (7,))], [channel(7, name="jobs")], outside=[joining(PID)])
    [(_, words)] = report(state)
    assert words.kind == "channel"
    assert words.reason == (
        "Receiver.recv at program.py:12 waits for a value from channel 'jobs' (0/8 queued), and what could send is "
        "held by the main interpreter (opened at made.py:1), where no thread goes on"
    )
    for part in (
        "blocked for 5.0 s", "/app/program.py:12, in work", "Sender of the main interpreter, opened at /app/made.py:1",
        "MainThread at /app/program.py:99, in main, in Thread.join",
    ):  # fmt: skip
        assert part in words.details


def test_the_text_names_owners_of_locks():
    waits = [wait(1, 5, objects=(7,)), wait(2, 6, objects=(8,))]
    objects = [lock(7, "RLock", held_by(6)), lock(8, "RLock", held_by(999))]
    [(_, words)] = report(world(waits, objects=objects))
    assert words.kind == "lock"
    assert (
        "which is held by thread 6 of the main interpreter, which waits in Lock.acquire at program.py:2" in words.reason
    )
    assert "which is held by a thread of the main interpreter that has ended" in words.reason


def test_the_text_counts_the_parties_of_a_barrier():
    state = world([wait(1, 5, objects=(7,))], objects=[lock(7, "Barrier", parties=3, arrived=1)])
    [(_, words)] = report(state)
    assert words.kind == "barrier" and "which 1 of 3 parties have reached" in words.reason


def test_long_reports_are_cut():
    waits = [wait(number, number, "receiver", (7,)) for number in range(200, 250)]
    [(group, words)] = report(world(waits, [channel(7)]))
    assert len(group.waits) == 50 and "42 more calls" in words.reason and words.details.count("blocked for") == 8
