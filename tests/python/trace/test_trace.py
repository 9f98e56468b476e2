"""trace(): the object, its limits, and what it costs the calls that it records."""

import gzip
import json
import os
import threading

import pytest
from support import Call, run_script, wait_for_blocked

import xichan


def exchange(count, capacity=4):
    tx, rx = xichan.channel(capacity)
    with tx, rx:
        for number in range(count):
            tx.send(number)
            assert rx.recv() == number


def test_file_has_a_slice_for_each_send_and_receive(recorded):
    events = recorded(lambda: exchange(3))
    assert [event["cat"] for event in sorted(events.slices, key=lambda e: e["ts"])] == ["send", "recv"] * 3
    assert {event["args"]["messages"] for event in events.slices} == {1}
    assert list(events.processes.values()) == ["main interpreter", "channels"]


def test_calls_before_and_after_the_trace_are_not_recorded(recorded):
    tx, rx = xichan.channel(4)
    with tx, rx:
        tx.send(1)

        def inside():
            tx.send(2)
            assert rx.recv() == 1

        events = recorded(inside)
        tx.send(3)
        assert [rx.recv(), rx.recv()] == [2, 3]
    assert sorted((event["cat"], event["args"]["first"]) for event in events.slices) == [("recv", 0), ("send", 1)]
    assert events.flows() == []


def test_second_trace_raises(tmp_path):
    with xichan.trace(tmp_path / "first.json"):
        other = tmp_path / "second.json"
        with pytest.raises(RuntimeError, match="recorded already"):
            xichan.trace(other)
        assert not other.exists()
    xichan.trace(tmp_path / "third.json").stop()


def test_second_trace_of_another_interpreter_raises(tmp_path):
    path = tmp_path / "trace.json"
    with xichan.trace(path), xichan.InterpreterPoolExecutor(1) as pool:
        with pytest.raises(RuntimeError, match="recorded already"):
            pool.submit(xichan.trace, os.fspath(path)).result()


@pytest.mark.parametrize(
    ("value", "error"), [(0, ValueError), (-1, ValueError), (1.0, TypeError), (True, TypeError), ("1", TypeError)]
)
def test_max_events_must_be_a_positive_int(tmp_path, value, error):
    with pytest.raises(error, match="max_events must be"):
        xichan.trace(tmp_path / "trace.json", max_events=value)
    assert not (tmp_path / "trace.json").exists()


def test_file_that_cannot_be_opened_is_reported_at_once(tmp_path):
    with pytest.raises(FileNotFoundError):
        xichan.trace(tmp_path / "missing" / "trace.json")
    xichan.trace(tmp_path / "trace.json").stop()


def test_failure_to_write_ends_the_trace(tmp_path):
    trace = xichan.trace("/dev/full")
    exchange(1)
    with pytest.raises(OSError, match="No space left"):
        trace.stop()
    assert (trace.events, trace.dropped) == (2, 0)
    xichan.trace(tmp_path / "trace.json").stop()


def test_stop_is_idempotent(tmp_path):
    path = tmp_path / "trace.json"
    trace = xichan.trace(path)
    exchange(2)
    trace.stop()
    text = path.read_text()
    with trace:
        exchange(2)
    trace.stop()
    assert path.read_text() == text
    assert trace.events == 4


def test_call_that_began_during_an_earlier_trace_begins_with_the_trace(tmp_path):
    tx, rx = xichan.channel(0)
    with tx, rx:
        first = xichan.trace(tmp_path / "first.json")
        send = Call(tx.send, 1)
        wait_for_blocked(tx, senders=1)
        first.stop()
        with xichan.trace(tmp_path / "second.json"):
            assert rx.recv() == 1
            send.result()
    events = json.loads((tmp_path / "second.json").read_text())["traceEvents"]
    assert all(event["ts"] >= 0 and event.get("dur", 0) >= 0 for event in events if "ts" in event)


def test_trace_cannot_be_instantiated():
    with pytest.raises(TypeError, match=r"call xichan\.trace"):
        xichan.Trace()


def test_attributes_and_repr(tmp_path):
    path = tmp_path / "trace.json"
    with xichan.trace(path) as trace:
        exchange(2)
        assert (trace.path, trace.events, trace.dropped) == (str(path), 4, 0)
        assert repr(trace) == f"<xichan.Trace {str(path)!r} events=4 dropped=0>"


def test_newest_events_beyond_max_events_are_dropped_and_counted(recorded):
    events = recorded(lambda: exchange(50), max_events=10)
    assert (len(events.slices), events.dropped) == (10, 90)
    assert sorted(event["args"]["first"] for event in events.named("send channel 1")) == [0, 1, 2, 3, 4]


def test_room_is_shared_by_all_threads(tmp_path):
    with xichan.trace(tmp_path / "trace.json", max_events=1000) as trace:
        for call in [Call(exchange, 500) for _ in range(4)]:
            call.result()
    assert trace.events + trace.dropped == 4000
    assert trace.events == 1000


def test_events_of_ended_threads_are_kept(recorded):
    def work():
        for _ in range(20):
            Call(exchange, 10).result()

    events = recorded(work)
    assert len(events.slices) >= 400 and events.dropped == 0
    assert len([event for event in events.slices if event["cat"] != "wait"]) == 400


def test_name_that_ends_in_gz_makes_the_file_compressed(tmp_path):
    path = tmp_path / "trace.json.gz"
    with xichan.trace(path):
        exchange(2)
    assert len([e for e in json.loads(gzip.decompress(path.read_bytes()))["traceEvents"] if e["ph"] == "X"]) == 4


def test_names_of_channels_and_threads_are_escaped(recorded):
    name = 'a "quoted" \\ name\twith é'

    def work():
        tx, rx = xichan.channel(1, name=name)
        with tx, rx:
            tx.send(1)
            rx.recv()

    events = recorded(lambda: Call(work).result())
    assert [event["name"] for event in events.slices] == [f"send {name}", f"recv {name}"]
    assert {event["args"]["channel"] for event in events.slices} == {name}


def test_channels_are_identified_by_their_id(recorded):
    ids = []

    def work():
        for _ in range(2):
            tx, rx = xichan.channel(1)
            ids.append(hex(tx.id))
            with tx, rx:
                tx.send(1)
                rx.recv()

    events = recorded(work)
    assert [event["args"]["id"] for event in events.named("send channel 1") + events.named("send channel 2")] == ids


def test_trace_ends_with_the_process(tmp_path):
    path = tmp_path / "trace.json"
    run_script(
        f"""
        import xichan
        tx, rx = xichan.channel(1)
        xichan.trace({str(path)!r})
        tx.send(1)
        """
    )
    assert [e["cat"] for e in json.loads(path.read_text())["traceEvents"] if e["ph"] == "X"] == ["send"]


def test_trace_of_a_worker_ends_with_its_interpreter(tmp_path):
    path = tmp_path / "trace.json"
    run_script(
        f"""
        from concurrent import interpreters
        import xichan
        one = interpreters.create()
        one.exec('''
        import xichan
        tx, rx = xichan.channel(1)
        xichan.trace({str(path)!r})
        tx.send(1)
        '''.replace("\\n        ", "\\n"))
        one.close()
        with xichan.trace({str(tmp_path / "other.json")!r}):
            pass
        """
    )
    assert [e["cat"] for e in json.loads(path.read_text())["traceEvents"] if e["ph"] == "X"] == ["send"]


def test_child_of_a_fork_records_nothing_and_leaves_the_file_alone(tmp_path):
    path = tmp_path / "trace.json"
    run_script(
        f"""
        import atexit, os, xichan
        trace = xichan.trace({str(path)!r})
        tx, rx = xichan.channel(4)
        tx.send(1)
        child = os.fork()
        if child == 0:
            tx, rx = xichan.channel(4)
            tx.send(2)
            assert rx.recv() == 2
            trace.stop()
            assert trace.events == 0, trace
            with xichan.trace({str(tmp_path / "child.json")!r}) as own:
                tx.send(3)
            assert own.events == 1, own
            atexit._run_exitfuncs()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert os.path.getsize({str(path)!r}) == 0
        rx.recv()
        trace.stop()
        assert trace.events == 2, trace
        """
    )
    assert len([e for e in json.loads(path.read_text())["traceEvents"] if e["ph"] == "X"]) == 2


def test_signal_handler_may_stop_the_trace(tmp_path):
    import signal

    path = tmp_path / "trace.json"
    trace = xichan.trace(path)
    before = signal.signal(signal.SIGUSR1, lambda *_: trace.stop())
    try:
        exchange(1)
        signal.raise_signal(signal.SIGUSR1)
        trace.stop()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert json.loads(path.read_text())


def test_trace_that_starts_and_stops_while_others_send(tmp_path):
    done = threading.Event()
    sent = []

    def traffic():
        count = 0
        tx, rx = xichan.channel(8)
        with tx, rx:
            while not done.is_set():
                assert tx.send_many([count, "a text of 32 bytes, in a line..", None]) == 3
                assert rx.recv_many(3)[0] == count
                tx.send((count, "x" * 100))
                assert rx.recv() == (count, "x" * 100)
                count += 1
        sent.append(count)

    calls = [Call(traffic) for _ in range(3)]
    for number in range(30):
        with xichan.trace(tmp_path / f"{number}.json", max_events=100 + number * 100) as trace:
            while trace.events < 100:
                pass
    done.set()
    for call in calls:
        call.result()
    assert len(sent) == 3
