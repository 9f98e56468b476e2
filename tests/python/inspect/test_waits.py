"""The waits of inspect(): which call, for what, where, and only while it is blocked."""

import pytest
from support import Call, execute, interpreter, run_script, wait_until
from support.waits import line_of, only_wait, waits

import xichan


def test_no_waits_without_blocked_calls():
    tx, rx = xichan.channel(1)
    tx.send(1)
    assert rx.recv() == 1 and waits() == []
    with pytest.raises(xichan.ChannelEmpty):
        rx.recv_nowait()
    assert waits() == []


def test_receive():
    tx, rx = xichan.channel(1)

    def receive():
        return rx.recv()

    call = Call(receive)
    wait = only_wait()
    assert (wait.call, wait.place, wait.function) == (
        "Receiver.recv",
        line_of(receive),
        "test_receive.<locals>.receive",
    )
    assert (wait.channels, wait.sides, wait.objects, wait.more) == ((rx.id,), ("receiver",), (), 0)
    assert (wait.interpreter, wait.interpreter_name) == (0, "main")
    assert (wait.thread, wait.thread_name) == (call.native_id, call.name)
    assert (wait.timeout, wait.idle, wait.coroutine, wait.until_closed) == (False, False, False, False)
    assert 0 <= wait.seconds < 60
    tx.send("it")
    assert call.result() == "it"
    wait_until(lambda: waits() == [])


def test_send():
    tx, rx = xichan.channel(1)
    tx.send(1)
    call = Call(lambda: tx.send(2, timeout=50))
    wait = only_wait()
    assert (wait.call, wait.channels, wait.sides, wait.timeout) == ("Sender.send", (tx.id,), ("sender",), True)
    assert rx.recv() == 1
    call.result()


def test_for_loop():
    tx, rx = xichan.channel(1)

    def loop():
        for _ in rx:
            pass

    call = Call(loop)
    assert only_wait().place == line_of(loop)
    tx.close()
    call.result()


def test_select_shows_sides_and_counts_the_rest():
    ends = [xichan.channel(1) for _ in range(6)]
    full, keep = xichan.channel(1)
    full.send(0)
    cases = [(full, 1), *(rx for _, rx in ends)]
    call = Call(lambda: xichan.select(cases))
    wait = only_wait()
    assert (wait.call, wait.more) == ("select", 3)
    assert wait.channels == (full.id, *(rx.id for _, rx in ends[:3]))
    assert wait.sides == ("sender", "receiver", "receiver", "receiver")
    assert keep.recv() == 0
    assert call.result()[0] is cases[0]


def test_wait_closed_and_lookup():
    tx, rx = xichan.channel(1)
    call = Call(rx.wait_closed)
    wait = only_wait()
    assert (wait.call, wait.until_closed, wait.channels, wait.sides) == (
        "Receiver.wait_closed",
        True,
        (rx.id,),
        ("receiver",),
    )
    assert wait.function == "Call.__init__.<locals>.<lambda>"  # the code that calls
    tx.close()
    call.result()
    call = Call(lambda: xichan.Sender.lookup("to come", timeout=50))
    wait = only_wait()
    assert (wait.call, wait.channels, wait.objects, wait.timeout) == ("lookup", (), (), True)
    named = xichan.channel(1, name="to come")
    assert call.result().id == named[0].id


def test_methods_in_python_are_shown_by_their_own_names():
    queue = xichan.Queue()

    def get():
        return queue.get()

    call = Call(get)
    wait = only_wait()
    assert (wait.call, wait.place) == ("Queue.get", line_of(get))
    queue.put(1)
    assert call.result() == 1


def test_other_interpreter():
    tx, rx = xichan.channel(1)
    with interpreter(rx=rx) as interp:
        call = execute(interp, "def receive():\n    rx.recv()\nreceive()")
        wait = only_wait()
        assert (wait.interpreter, wait.interpreter_name, wait.function) == (interp.id, None, "receive")
        assert wait.place.endswith(":2") and wait.thread == call.native_id
        tx.send(1)
        call.result()
        assert waits() == []


def test_a_thread_that_waits_for_the_interpreter_is_not_shown():
    """It has its value; only the interpreter is missing."""
    run_script(
        """
        import sys, threading, time, xichan

        sys.setswitchinterval(60)  # this thread keeps the interpreter until it sleeps
        tx, rx = xichan.channel(1)
        thread = threading.Thread(target=rx.recv)
        thread.start()
        while not xichan.inspect().waits:
            time.sleep(0.001)
        tx.send(1)
        deadline = time.monotonic() + 30
        while xichan.inspect().waits and time.monotonic() < deadline:
            pass
        assert xichan.inspect().waits == () and thread.is_alive()
        thread.join()
        """
    )


def test_workers_of_pools_are_idle():
    with xichan.InterpreterPoolExecutor(2, thread_name_prefix="crew") as pool:
        assert sorted(pool.map(abs, [1, -2])) == [1, 2]

        def idle_workers():
            return {wait.interpreter_name for wait in xichan.inspect().waits if wait.interpreter}

        wait_until(lambda: len(idle_workers()) == 2)
        assert all(name.startswith("crew") for name in idle_workers())
        assert waits() == []  # and so are the threads of the pool in this interpreter
        future = pool.submit(xichan.Event.wait, event := xichan.Event())
        wait = only_wait()
        assert wait.call == "Event.wait" and wait.interpreter_name.startswith("crew")
        event.set()
        assert future.result() is True
