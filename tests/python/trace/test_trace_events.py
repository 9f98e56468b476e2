"""What trace() records: flows, waits, tasks, coroutines and shared objects."""

import asyncio
import threading

import pytest
from support import FLAVORS, Call, interpreter, run_loop, wait_for_blocked, wait_for_sleep, wait_until

import xichan


@pytest.mark.parametrize("options", FLAVORS.values(), ids=FLAVORS)
def test_each_message_has_a_flow_from_its_send_to_its_receive(recorded, options):
    def work():
        tx, rx = xichan.channel(**options)
        with tx, rx:
            call = Call(lambda: [rx.recv() for _ in range(20)])
            for number in range(10):
                tx.send(number)
            for number in range(10):
                tx.send((number, "text of forty bytes, which fits in a line"))
            assert len(call.result()) == 20

    events = recorded(work)
    assert sorted(events.messages()) == [(number, number) for number in range(20)]


def test_batches_have_a_flow_for_each_pair_of_calls_that_share_messages(recorded):
    def work():
        tx, rx = xichan.channel(20)
        with tx, rx:
            tx.send_many(range(10))
            tx.send(10)
            assert len(rx.recv_many(4)) == 4
            assert len(rx.drain()) == 7

    events = recorded(work)
    sends = events.named("send channel 1")
    assert [event["args"]["messages"] for event in sends] == [10, 1]
    assert {(s["args"]["messages"], r["args"]["first"]) for s, r in events.flows()} >= {(10, 0), (10, 4), (1, 4)}


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
def test_dropped_messages_have_no_flow(recorded, overflow):
    def work():
        tx, rx = xichan.channel(2, overflow=overflow)
        with tx, rx:
            for number in range(5):
                tx.send(number)
            assert len(rx.drain()) == 2

    assert len(recorded(work).flows()) in (1, 2)  # drain() may receive both together


def test_flow_between_interpreters(recorded):
    def work():
        tx, rx = xichan.channel(1)
        with tx, rx, interpreter(rx=rx) as one:
            tx.send("hello")
            Call(one.exec, "assert rx.recv() == 'hello'").result()

    events = recorded(work)
    ((send, receive),) = [pair for pair in events.flows() if pair[0]["name"] == "send channel 1"]
    assert events.processes[send["pid"]] == "main interpreter"
    assert events.processes[receive["pid"]].startswith("interpreter ")


def test_wait_is_a_slice_from_sleep_to_wake_up(recorded):
    def work():
        tx, rx = xichan.channel(1, name="orders")
        with tx, rx:
            call = Call(rx.recv)
            wait_for_blocked(rx, receivers=1)
            tx.send(1)
            assert call.result() == 1

    events = recorded(work)
    (wait,) = events.named("wait: recv orders")
    (send,) = events.named("send orders")
    (receive,) = events.named("recv orders")
    assert wait["cat"] == "wait" and wait["tid"] == receive["tid"] != send["tid"]
    assert wait["ts"] < send["ts"] < wait["ts"] + wait["dur"] <= receive["ts"] + receive["dur"]


def test_wait_of_the_main_thread_is_one_slice_although_it_looks_for_signals(recorded):
    def work():
        tx, rx = xichan.channel(1)
        with tx, rx:
            timer = threading.Timer(0.3, tx.send, [1])
            timer.start()
            rx.recv()
            timer.join()

    (wait,) = recorded(work).named("wait: recv channel 1")
    assert wait["dur"] >= 200_000


def test_timeouts_of_the_main_thread_are_slices_of_their_own(recorded):
    def work():
        tx, rx = xichan.channel(1)
        with tx, rx:
            for _ in range(3):
                with pytest.raises(xichan.ChannelTimeout):
                    rx.recv(0.08)

    assert len(recorded(work).named("wait: recv channel 1")) == 3


def test_wait_that_began_before_the_trace_is_recorded_from_its_begin(recorded):
    tx, rx = xichan.channel(1)
    with tx, rx:
        call = Call(rx.recv)
        wait_for_blocked(rx, receivers=1)

        def work():
            tx.send(1)
            assert call.result() == 1

        events = recorded(work)
    (wait,) = events.named("wait: recv channel 1")
    assert wait["ts"] == 0
    assert events.messages() == [(0, 0)]
    assert list(events.processes.values()) == ["main interpreter", "channels"]


def test_wait_that_has_not_ended_is_marked(recorded):
    tx, rx = xichan.channel(1)
    with tx, rx:
        calls = []

        def work():
            calls.append(Call(rx.recv))
            wait_for_blocked(rx, receivers=1)
            wait_until(lambda: rx.stats().parks == 1)

        events = recorded(work)
        tx.send(1)
        assert calls[0].result() == 1
    (wait,) = events.named("wait: recv channel 1")
    assert wait["args"]["unfinished"] is True


def test_select_and_wait_closed(recorded):
    def work():
        first, second = xichan.channel(1), xichan.channel(1)
        call = Call(xichan.select, [first[1], second[1]])
        wait_for_blocked(first[1], receivers=1)
        second[0].send(1)
        call.result()
        closing = Call(first[0].wait_closed)
        wait_until(lambda: first[0].stats().parks == 2)
        first[1].close()
        closing.result()
        for end in (*first, *second):
            end.close()

    events = recorded(work)
    waits = {event["name"]: event for event in events.slices if event["cat"] == "wait"}
    assert {name.rpartition(" channel ")[0] for name in waits} == {"wait: select", "wait: wait_closed"}
    assert next(event["args"]["cases"] for name, event in waits.items() if "select" in name) == 2
    assert len(events.flows()) == 1


def test_waits_for_shared_objects_name_the_call_and_the_object(recorded):
    def work():
        lock, event = xichan.Lock(name="accounts"), xichan.Event()
        lock.acquire()
        calls = [Call(lock.acquire), Call(event.wait)]
        for call in calls:
            wait_for_sleep(call.native_id)
        lock.release()
        event.set()
        for call in calls:
            call.result()

    names = {event["name"].rstrip("0123456789") for event in recorded(work).slices}
    assert names == {"wait: acquire Lock accounts", "wait: wait Event "}


def test_tasks_of_a_pool_are_slices_named_after_their_function(recorded):
    def work():
        with xichan.InterpreterPoolExecutor(2) as pool:
            assert pool.submit(pow, 2, 3).result() == 8
            assert list(pool.map(divmod, [7, 8], [2, 2])) == [(3, 1), (4, 0)]
            with pytest.raises(ZeroDivisionError):
                pool.submit(divmod, 1, 0).result()
            assert pool.submit(lambda: 5).result() == 5

    events = recorded(work)
    tasks = sorted(event["name"].rpartition(".")[2] for event in events.slices if event["cat"] == "task")
    assert tasks == ["<lambda>", "divmod", "divmod", "divmod", "pow"]
    places = {events.processes[event["pid"]] for event in events.slices if event["cat"] == "task"}
    assert all(place.startswith("interpreter ") for place in places)
    assert any(events.processes[s["pid"]] != events.processes[r["pid"]] for s, r in events.flows())


def test_waits_of_coroutines_overlap_and_are_asynchronous_events(recorded):
    async def consume(rx):
        return [value async for value in rx]

    async def main():
        tx, rx = xichan.channel(1, name="jobs")
        other = rx.clone()
        async with asyncio.timeout(30):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(consume(each)) for each in (rx, other)]
                await asyncio.sleep(0.01)
                for number in range(10):
                    await tx.asend(number)
                tx.close()
        assert sorted(tasks[0].result() + tasks[1].result()) == list(range(10))
        rx.close()
        other.close()

    events = recorded(lambda: run_loop(main()))
    begins = {event["id"]: event for event in events.all if event["ph"] == "b"}
    ends = {event["id"]: event for event in events.all if event["ph"] == "e"}
    assert begins.keys() == ends.keys() and len(begins) >= 2
    assert {event["name"] for event in begins.values()} >= {"wait: recv jobs"}
    assert sorted(events.messages()) == [(number, number) for number in range(10)]


def test_rendezvous_between_coroutines_and_threads_has_flows(recorded):
    async def main():
        tx, rx = xichan.channel(0)
        call = Call(lambda: [rx.recv() for _ in range(5)])
        for number in range(5):
            await tx.asend(number)
        assert await asyncio.to_thread(call.result) == list(range(5))
        tx.close()
        rx.close()

    events = recorded(lambda: run_loop(main()))
    assert sorted(events.messages()) == [(number, number) for number in range(5)]


def test_depth_of_channels_is_a_counter(recorded):
    def work():
        tx, rx = xichan.channel(8, name="jobs")
        with tx, rx:
            for number in range(5):
                tx.send(number)
            rx.drain()

    events = recorded(work)
    depths = [event for event in events.all if event["ph"] == "C"]
    assert {event["name"] for event in depths} == {"depth of jobs"}
    assert depths[0]["args"]["messages"] == 1 and depths[-1]["args"]["messages"] == 0
    assert max(event["args"]["messages"] for event in depths) <= 5


@pytest.mark.parametrize("options", [{"pickle": True}, {"type": int}], ids=["pickle", "type"])
def test_channels_that_look_at_values_are_recorded(recorded, options):
    def work():
        tx, rx = xichan.channel(4, **options)
        with tx, rx:
            tx.send(1)
            rx.recv()

    assert recorded(work).messages() == [(0, 0)]


def test_queues_are_recorded(recorded):
    def work():
        queue = xichan.Queue(4)
        queue.put(1)
        assert queue.get() == 1
        queue.shutdown()

    assert recorded(work).messages() == [(0, 0)]


def test_failed_task_has_the_type_of_its_error(recorded):
    def work():
        with xichan.InterpreterPoolExecutor(1) as pool:
            assert pool.submit(divmod, 7, 2).result() == (3, 1)
            with pytest.raises(ZeroDivisionError):
                pool.submit(divmod, 1, 0).result()
            with pytest.raises(ValueError, match="invalid literal"):
                list(pool.map(int, ["a", "b"], chunksize=2))

    tasks = [event for event in recorded(work).slices if event["cat"] == "task"]
    errors = [event["args"].get("error") for event in sorted(tasks, key=lambda event: event["ts"])]
    assert errors == [None, "ZeroDivisionError", "ValueError", "ValueError"]


def test_workers_have_the_names_that_top_shows(recorded):
    name = "a name of more than fifteen bytes"

    def target():
        xichan.worker().ready()
        xichan.worker().wait_stop()

    def work():
        with xichan.Workers(1, target, name=name) as workers:
            workers.ready()
            workers.stop()

    events = recorded(work)
    (task,) = [event for event in events.slices if event["cat"] == "task"]
    assert events.threads[task["pid"], task["tid"]] == f"{name}_0"
    assert events.processes[task["pid"]].endswith(f": {name}_0")


def test_worker_that_has_started_before_the_trace_has_its_name(recorded):
    with xichan.InterpreterPoolExecutor(1, thread_name_prefix="a pool with a long name") as pool:
        pool.submit(abs, -1).result()
        events = recorded(lambda: pool.submit(abs, -2).result())
    assert any(name.endswith(": a pool with a long name_0") for name in events.processes.values())
    assert "a pool with a long name_0" in events.threads.values()


def test_channels_of_a_pool_are_named_and_marked_as_internal(recorded):
    def work():
        with xichan.InterpreterPoolExecutor(1, thread_name_prefix="images") as pool:
            assert pool.submit(abs, -1).result() == 1

    events = recorded(work)
    (sent,) = events.named("send pool 'images' tasks")
    assert sent["cat"] == "send,internal"
    assert events.named("recv pool 'images' tasks") and events.named("send pool 'images' results")
    assert not [event for event in events.slices if event["name"].startswith(("send channel", "recv channel"))]
    assert not [event for event in events.all if event["ph"] == "C"]  # their depth is of no interest
    assert (sent, events.named("recv pool 'images' tasks")[0]) in events.flows()


def test_queues_have_different_names(recorded):
    def work():
        for _ in range(2):
            xichan.Queue().put(1)

    first, second = sorted(event["name"] for event in recorded(work).slices)
    assert first != second and first.startswith("send Queue #")
