"""Channels, endpoints and objects of inspect(), and its report."""

import dataclasses
import pickle
import threading
import time

import pytest
from support import Call, execute, interpreter, run_script, wait_until

import xichan

FILE = __file__


def channel_of(end):
    (found,) = [channel for channel in xichan.inspect().channels if channel.id == end.id]
    return found


def object_of(obj):
    (found,) = [each for each in xichan.inspect().objects if each.id == xichan._core._object_number(obj)]
    return found


def here(offset=0):
    import sys

    return f"{FILE}:{sys._getframe(1).f_lineno + offset}"


def test_endpoints_have_their_thread_and_line():
    tx, rx = xichan.channel(3, name="known")
    made = here(-1)
    clone = tx.clone()
    cloned = here(-1)
    found = channel_of(tx)
    assert sorted(endpoint.opened for endpoint in found.senders) == sorted([made, cloned])
    (receiver,) = found.receivers
    assert receiver == xichan.EndpointInspection(
        side="receiver",
        interpreter=0,
        interpreter_name="main",
        thread=threading.get_native_id(),
        thread_name="MainThread",
        opened=made,
    )
    clone.close()
    assert [endpoint.opened for endpoint in channel_of(tx).senders] == [made]
    rx.close()
    assert channel_of(tx).receivers == ()


def test_endpoints_that_arrive_in_messages_are_in_transit_before():
    tx, rx = xichan.channel(3)
    carrier_tx, carrier_rx = xichan.channel(1)
    carrier_tx.send((tx, rx, rx))
    found = channel_of(tx)
    assert (found.senders_in_transit, found.receivers_in_transit, found.in_transit) == (1, 2, 3)
    assert (len(found.senders), len(found.receivers)) == (1, 1)
    received = carrier_rx.recv()
    line = here(-1)
    found = channel_of(tx)
    assert found.in_transit == 0
    assert [endpoint.opened for endpoint in found.receivers].count(line) == 2
    del received
    pickled = pickle.dumps(tx)
    assert channel_of(tx).senders_in_transit == 1
    pickle.loads(pickled).close()
    assert channel_of(tx).in_transit == 0


def test_endpoints_of_another_interpreter():
    tx, rx = xichan.channel(3)
    with interpreter(rx=rx) as interp:
        interp.exec("def open_another():\n    return rx.clone()\nother = open_another()")
        receivers = [endpoint for endpoint in channel_of(tx).receivers if endpoint.interpreter]
        assert {endpoint.interpreter for endpoint in receivers} == {interp.id}
        assert [endpoint.opened for endpoint in receivers if (endpoint.opened or "").endswith(":2")]
        found = execute(interp, "import xichan\nassert len(xichan.inspect().channels) >= 1")
        found.result()
    wait_until(lambda: len(channel_of(tx).receivers) == 1)


def test_places_outlive_the_code_that_opened():
    for i in range(200):  # more than the cache has room for
        names = {"xichan": xichan}
        exec(compile(f"ends = xichan.channel(1)\nclone = ends[0].clone() # {i}", f"gone{i}.py", "exec"), names)
        ends, clone = names["ends"], names["clone"]
        del names
        found = channel_of(ends[0])
        assert sorted(endpoint.opened for endpoint in found.senders) == [f"gone{i}.py:1", f"gone{i}.py:2"]
        clone.close()


def test_thread_that_has_ended():
    ends = []
    thread = threading.Thread(target=lambda: ends.extend(xichan.channel(1)))
    thread.start()
    native = thread.native_id
    thread.join()
    wait_until(lambda: channel_of(ends[0]).senders[0].thread_name is None)
    assert channel_of(ends[0]).senders[0].thread == native


def test_states():
    tx, rx = xichan.channel(3)
    assert channel_of(tx).state == "open"
    other_tx, other_rx = xichan.channel(3)
    other_tx.send(1)
    other_tx.close()
    assert channel_of(other_rx).state == "no senders"
    rx.close()
    assert channel_of(tx).state == "no receivers"
    tx.shutdown()
    assert channel_of(tx).state == "shut down"
    assert other_rx.recv() == 1


def test_channel_has_the_attributes_of_its_stats():
    tx, rx = xichan.channel(3, name="figures")
    tx.send(1)
    found = channel_of(tx)
    for name in ("id", "name", "flavor", "capacity", "depth", "sent", "received", "parks", "waiting_receivers"):
        assert getattr(found, name) == getattr(tx.stats(), name)
    assert found.stats == rx.stats() and len(found.senders) == found.stats.senders
    with pytest.raises(AttributeError, match="deepness"):
        found.deepness  # noqa: B018
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.state = "closed"
    assert pickle.loads(pickle.dumps(found)) == found
    assert rx.recv() == 1


def test_rates_are_those_since_the_previous_inspection():
    tx, rx = xichan.channel(None)
    for _ in range(1000):
        tx.send(1)
    first = channel_of(tx)
    assert first.sent_per_second > 0 and first.received_per_second == 0
    time.sleep(0.02)
    assert channel_of(tx).sent_per_second == 0
    rx.drain()
    assert channel_of(tx).received_per_second > 0


def test_holders_of_locks():
    lock, rlock, condition = xichan.Lock(), xichan.RLock(), xichan.Condition()
    for obj in (lock, rlock, condition):
        assert object_of(obj).owner is None and object_of(obj).detail == {"locked": False}
        with obj:
            assert object_of(obj).detail == {"locked": True}
            assert object_of(obj).owner == xichan.Holder(0, "main", threading.get_native_id(), "MainThread")
    with interpreter(lock=lock) as interp:
        call = execute(interp, "lock.acquire()")
        call.result()
        wait_until(lambda: object_of(lock).owner.thread_name is None)
        owner = object_of(lock).owner
        assert (owner.interpreter, owner.thread, owner.thread_name) == (interp.id, call.native_id, None)
    with pytest.raises(xichan.OwnerDied):
        lock.acquire()


def test_details_of_objects():
    xichan_map = xichan.Map()
    xichan_map["key"] = 1
    event = xichan.Event(name="an event")
    event.set()
    objects = {
        xichan.AtomicInt(5): ("AtomicInt", {"value": 5}),
        xichan.Semaphore(3): ("Semaphore", {"value": 3}),
        xichan.Barrier(4): ("Barrier", {"parties": 4, "arrived": 0, "broken": False}),
        event: ("Event", {"set": True}),
    }
    for obj, (kind, detail) in objects.items():
        found = object_of(obj)
        assert (found.kind, found.detail, found.owner, found.waits) == (kind, detail, None, ())
    assert object_of(event).name == "an event"
    assert object_of(xichan_map).detail["items"] == 1
    cell = xichan.Cell("a")
    assert object_of(cell).detail == {"version": cell.version}


def test_report_shows_waits_first():
    tx, rx = xichan.channel(4, name="jobs")
    lock = xichan.Lock(name="the lock")
    lock.acquire()

    def receive():
        rx.recv()

    call, other = Call(receive), Call(lambda: lock.acquire(timeout=50))
    wait_until(lambda: len([wait for wait in xichan.inspect().waits if not wait.idle]) == 2)
    text = str(xichan.inspect())
    lines = text.splitlines()
    assert lines[0].startswith("process ") and "2 blocked calls" in lines[0] and lines[1] == "waits"
    assert f"    at {FILE}:{receive.__code__.co_firstlineno + 1} in test_report" in text
    assert "    channel 'jobs': 0/4 queued, open\n" in text
    assert f"main, {call.name} ({call.native_id})" in text
    assert "    Lock 'the lock': locked True, held by main, MainThread" in text
    assert text.index("\nwaits\n") < text.index("\nchannels\n") < text.index("\nobjects\n")
    assert f"    sender of main, MainThread ({threading.get_native_id()}), opened at {FILE}:" in text
    tx.send(1)
    lock.release()
    call.result()
    other.result()
    lock.release()


def test_inspect_while_everything_changes():
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            tx, rx = xichan.channel(1)
            tx.send((tx, rx))
            rx.recv()

    calls = [Call(churn) for _ in range(3)]
    with interpreter() as interp:
        calls.append(
            execute(
                interp,
                """
                import xichan
                for _ in range(3000):
                    tx, rx = xichan.channel(1)
                    tx.send(tx)
                    rx.recv()
                """,
            )
        )
        for _ in range(100):
            str(xichan.inspect())
        stop.set()
        for call in calls:
            call.result()


def test_private_page():
    run_script(
        """
        import os, threading, xichan

        assert xichan._core._page_descriptor() == -1
        files = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
        links = [os.readlink(file) for file in files if os.path.islink(file)]
        assert not any("memfd:xichan" in link for link in links), links
        tx, rx = xichan.channel(1)
        thread = threading.Thread(target=rx.recv)
        thread.start()
        while not xichan.inspect().waits:
            pass
        child = os.fork()
        if child == 0:
            os._exit(0 if xichan._core._page_descriptor() == -1 and xichan.inspect().waits == () else 1)
        assert os.waitpid(child, 0)[1] == 0
        tx.send(1)
        thread.join()
        """,
        env={"XICHAN_PAGE": "0"},
        options=["-W", "ignore"],
    )


def test_inspect_without_memory_raises_and_recovers():
    tx, rx = xichan.channel(1)
    for countdown in range(20):
        xichan._core._fail_after(countdown)
        try:
            xichan.inspect()
        except MemoryError:
            pass
        finally:
            xichan._core._fail_after(-1)
    assert channel_of(tx).id == rx.id


def test_inspect_is_imported_on_first_use():
    done = run_script(
        "import sys, xichan\nprint('dataclasses' in sys.modules, any('_inspect' in name for name in sys.modules))"
    )
    assert done.stdout == "False False\n"
