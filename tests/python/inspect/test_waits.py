"""The waits of inspect(): which call, for what, where, and only while it is blocked."""

import asyncio
import os
import signal
import threading

import pytest
from support import Call, execute, interpreter, run_loop, run_script, wait_until

import xichan

FILE = __file__


def waits():
    """Return the waits that are not idle."""
    return [wait for wait in xichan.inspect().waits if not wait.idle]


def wait_for_waits(count=1):
    """Wait until so many calls are blocked, and return their waits."""
    wait_until(lambda: len(waits()) == count)
    return waits()


def only_wait():
    return wait_for_waits(1)[0]


def line_of(function, offset=1):
    return f"{FILE}:{function.__code__.co_firstlineno + offset}"


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


def test_send_of_a_long_list_shows_the_line_of_the_call():
    tx, rx = xichan.channel(2)

    def send():
        values = [1, 2, 3]

        return (
            tx
            .send_many(values)
        )  # fmt: skip

    call = Call(send)
    assert only_wait().place in {line_of(send, offset) for offset in (4, 5)}
    rx.drain()
    assert call.result() == 3


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


STATE_CALLS = {
    "Lock.acquire": (xichan.Lock, lambda lock: lock.acquire(), lambda lock: lock.release()),
    "RLock.acquire": (xichan.RLock, lambda lock: lock.acquire(), lambda lock: lock.release()),
    "Semaphore.acquire": (lambda: xichan.Semaphore(0), lambda units: units.acquire(), lambda units: units.release()),
    "Event.wait": (xichan.Event, lambda event: event.wait(), lambda event: event.set()),
    "Cell.wait": (lambda: xichan.Cell(1), lambda cell: cell.wait(cell.version), lambda cell: cell.set(2)),
    "Map.wait": (xichan.Map, lambda map: map.wait("key"), lambda map: map.set("key", 1)),
    "Barrier.wait": (lambda: xichan.Barrier(2), lambda barrier: barrier.wait(), lambda barrier: barrier.wait()),
}


@pytest.mark.parametrize("name", STATE_CALLS)
def test_state_objects(name):
    make, block, end = STATE_CALLS[name]
    obj = make()
    if "Lock" in name:
        obj.acquire()
    call = Call(lambda: block(obj))
    wait = only_wait()
    assert wait.call == name and wait.channels == () and wait.place is not None
    (shown,) = [each for each in xichan.inspect().objects if each.id in wait.objects]
    assert shown.kind == type(obj).__name__ and shown.waits[0].id == wait.id
    end(obj)
    call.result()
    if "Lock" in name:
        assert waits() == []


def test_condition():
    condition = xichan.Condition()

    def block():
        with condition:
            condition.wait()

    call = Call(block)
    wait = only_wait()
    assert (wait.call, wait.place) == ("Condition.wait", line_of(block, 2))
    with condition:
        condition.notify()
    call.result()


def test_broadcast():
    tx, subscribe = xichan.broadcast(1)
    rx = subscribe()
    call = Call(lambda: rx.recv())
    assert only_wait().call == "BroadcastReceiver.recv"
    tx.send(1)
    assert call.result() == 1
    tx.send(2)
    call = Call(lambda: tx.send(3))
    assert only_wait().call == "BroadcastSender.send"
    assert rx.recv() == 2
    call.result()


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


def test_the_main_thread_stays_shown_and_is_not_shown_during_signal_handlers():
    run_script(
        """
        import os, signal, threading, time, xichan

        tx, rx = xichan.channel(1)
        during = []

        def look():
            found = set()
            for _ in range(300):
                waits = xichan.inspect().waits
                found.add(tuple((wait.id, wait.thread_name) for wait in waits))
                time.sleep(0.001)
            return found

        def handler(*_):
            during.append(xichan.inspect().waits)

        def other():
            while not xichan.inspect().waits:
                time.sleep(0.001)
            before = look()
            assert len(before) == 1, before
            signal.raise_signal(signal.SIGUSR1)
            while not during:
                time.sleep(0.001)
            while not xichan.inspect().waits:
                time.sleep(0.001)
            assert look() == before  # with the same number
            tx.send(1)

        signal.signal(signal.SIGUSR1, handler)
        thread = threading.Thread(target=other)
        thread.start()
        rx.recv()
        thread.join()
        assert during == [()], during
        """
    )


def test_a_wait_in_a_signal_handler_replaces_that_of_the_interrupted_call():
    run_script(
        """
        import os, signal, threading, time, xichan

        tx, rx = xichan.channel(1)
        event = xichan.Event()

        def handler(*_):
            event.wait()

        def wait_for(call):
            while [wait.call for wait in xichan.inspect().waits] != [call]:
                time.sleep(0.001)

        def other():
            wait_for("Receiver.recv")
            os.kill(os.getpid(), signal.SIGUSR1)
            wait_for("Event.wait")
            event.set()
            wait_for("Receiver.recv")
            tx.send(1)

        signal.signal(signal.SIGUSR1, handler)
        thread = threading.Thread(target=other)
        thread.start()
        rx.recv()
        thread.join()
        """
    )


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


def test_coroutines():
    tx, rx = xichan.channel(1)
    lock = xichan.Lock()
    lock.acquire()

    async def receive():
        return await rx.arecv()

    async def acquire():
        async with lock:
            pass

    async def wait_for(count):
        async with asyncio.timeout(30):
            while len(waits()) != count:
                await asyncio.sleep(0)
        return {wait.call: wait for wait in waits()}

    async def main():
        tasks = [asyncio.create_task(receive()), asyncio.create_task(acquire())]
        found = await wait_for(2)
        assert {name: (wait.place, wait.function) for name, wait in found.items()} == {
            "Receiver.arecv": (line_of(receive), "test_coroutines.<locals>.receive"),
            "Lock.acquire": (line_of(acquire), "test_coroutines.<locals>.acquire"),
        }
        for wait in found.values():
            assert wait.coroutine and wait.thread == threading.get_native_id() and not wait.timeout
        assert found["Receiver.arecv"].channels == (rx.id,)
        # The thread that wakes a coroutine ends its wait, before the loop knows.
        tx.send(1)
        lock.release()
        assert waits() == []
        assert await tasks[0] == 1
        await tasks[1]
        cancelled = asyncio.create_task(receive())
        await wait_for(1)
        cancelled.cancel()
        await wait_for(0)

    run_loop(main())


def test_threads_and_coroutines_have_slots_of_their_own():
    run_script(
        """
        import asyncio, threading, xichan

        tx, rx = xichan.channel(1)
        other_tx, other_rx = xichan.channel(1)

        async def main():
            tasks = [asyncio.create_task(rx.arecv()) for _ in range(1100)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            found = xichan.inspect()
            assert len(found.waits) == 1024 and found.unshown_waits == 76, (len(found.waits), found.unshown_waits)
            thread = threading.Thread(target=other_rx.recv)
            thread.start()
            while len(xichan.inspect().waits) != 1025:
                await asyncio.sleep(0)
            other_tx.send(1)
            thread.join()
            tx.close()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert xichan.inspect().waits == () and xichan.inspect().unshown_waits == 0

        asyncio.run(main())
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


def test_a_fork_takes_no_waits_along():
    run_script(
        """
        import os, threading, warnings, xichan

        warnings.simplefilter("ignore", DeprecationWarning)
        tx, rx = xichan.channel(1)
        thread = threading.Thread(target=rx.recv)
        thread.start()
        while not xichan.inspect().waits:
            pass
        child = os.fork()
        if child == 0:
            found = xichan.inspect()
            assert found.waits == () and found.channels == () and found.pid == os.getpid(), found
            own_tx, own_rx = xichan.channel(1)
            own = threading.Thread(target=own_rx.recv)
            own.start()
            while not xichan.inspect().waits:
                pass
            own_tx.send(1)
            own.join()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert len(xichan.inspect().waits) == 1
        tx.send(1)
        thread.join()
        """
    )


def test_a_fork_in_a_signal_handler_of_a_blocked_call():
    run_script(
        """
        import os, signal, threading, time, warnings, xichan

        warnings.simplefilter("ignore", DeprecationWarning)
        tx, rx = xichan.channel(1)
        children = []

        def handler(*_):
            child = os.fork()
            if child:
                children.append(child)

        def other():
            while not xichan.inspect().waits:
                time.sleep(0.001)
            os.kill(os.getpid(), signal.SIGUSR1)
            while not children:
                time.sleep(0.001)
            tx.send(1)

        signal.signal(signal.SIGUSR1, handler)
        thread = threading.Thread(target=other)
        thread.start()
        try:
            assert rx.recv() == 1 and children
        except xichan.ChannelClosed:  # in the child, where the channel is gone
            assert not children and xichan.inspect().waits == ()
            os._exit(7)
        thread.join()
        assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 7
        """
    )


def test_an_interpreter_that_ends_takes_its_waits_along():
    run_script(
        """
        import threading, time
        from concurrent import interpreters
        import xichan

        tx, rx = xichan.channel(1)
        interp = interpreters.create()
        interp.prepare_main(rx=rx)
        interp.exec('''
        import threading, xichan
        threading.Thread(target=rx.recv).start()
        while not xichan.inspect().waits:
            pass
        '''.replace("        ", ""))
        assert [wait.interpreter for wait in xichan.inspect().waits] == [interp.id]
        try:
            interp.close()
        except interpreters.InterpreterError:
            pass
        deadline = time.monotonic() + 30
        while xichan.inspect().waits and time.monotonic() < deadline:
            time.sleep(0.01)
        assert xichan.inspect().waits == ()
        """
    )


@pytest.mark.parametrize("tracing", [False, True])
def test_lines_agree_with_those_of_python(tracing):
    """Every line of code with all kinds of entries in its line table, also while a debugger has a look at it."""
    run_script(
        f"""
        import sys, threading, time, xichan

        body = [f"    rx.recv(){{';' if i % 3 else ''}}" + " " * (i * 7 % 90) for i in range(60)]
        for i in range(0, 60, 7):
            body[i] = "\\n" * (i * 5 % 200) + body[i]
        source = "def receive():\\n" + "\\n".join(body) + "\\n"
        names = {{}}
        exec(compile(source, "generated.py", "exec"), names)
        receive = names["receive"]
        tx, rx = names["tx"], names["rx"] = xichan.channel(1)
        expected = [i for i, line in enumerate(source.splitlines(), 1) if "recv" in line]
        assert len(expected) == 60

        def run():
            if {tracing}:
                sys.settrace(lambda *_: lambda *_: None)
            receive()

        thread = threading.Thread(target=run)
        thread.start()
        last = 0
        for line in expected:
            while True:
                waits = [wait for wait in xichan.inspect().waits if wait.id > last]
                if waits:
                    break
                time.sleep(0)
            (wait,) = waits
            last = wait.id
            assert wait.place == f"generated.py:{{line}}", (wait.place, line)
            tx.send(1)
        thread.join()
        """
    )


def test_names_that_are_not_ascii(tmp_path):
    path = tmp_path / "größe_大_🙂.py"
    path.write_text("def empfängt_大(rx):\n    return rx.recv()\n")
    names = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    tx, rx = xichan.channel(1)
    call = Call(lambda: names["empfängt_大"](rx))
    wait = only_wait()
    assert wait.function == "empfängt_大"
    assert f"{path}:2".endswith(wait.place.removeprefix("..."))
    tx.send(1)
    call.result()


def test_surrogates_and_long_names():
    names = {}
    exec(compile("def receive(rx):\n    return rx.recv()\n", "\udc80" + "x" * 700 + "/end.py", "exec"), names)
    tx, rx = xichan.channel(1)
    call = Call(lambda: names["receive"](rx))
    place = only_wait().place
    assert place.startswith("...x") and place.endswith("x/end.py:2")
    tx.send(1)
    call.result()


def test_stopped_threads_do_not_disturb(tmp_path):
    """A process that is stopped while it goes to sleep and wakes up leaves a page that readers can read."""
    source = """
        import threading, xichan
        tx, rx = xichan.channel(1)
        back_tx, back_rx = xichan.channel(1)
        def echo():
            for value in rx:
                back_tx.send(value)
        threading.Thread(target=echo, daemon=True).start()
        print("begun", flush=True)
        while True:
            tx.send(1)
            back_rx.recv()
    """
    import struct
    import subprocess
    import sys
    import textwrap
    import time

    from support import environment

    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(source)], env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "begun\n"
            files = [f"/proc/{process.pid}/fd/{number}" for number in os.listdir(f"/proc/{process.pid}/fd")]
            (page,) = [path for path in files if os.readlink(path).startswith("/memfd:xichan")]
            with open(page, "rb") as file:
                for _ in range(50):
                    time.sleep(0.002)
                    process.send_signal(signal.SIGSTOP)
                    file.seek(0)
                    data = file.read()
                    assert data[:8] == b"xichanpg" and struct.unpack_from("<Q", data, 24)[0] == process.pid
                    offset, slots, used = struct.unpack_from("<QQQ", data, 72 + 8)
                    for index in range(min(used, slots)):
                        sequence, number = struct.unpack_from("<QQ", data, offset + index * 512)
                        if sequence % 2 == 0 and number:
                            length = struct.unpack_from("<H", data, offset + index * 512 + 48)[0]
                            call = data[offset + index * 512 + 152 :][:length]
                            assert call in {b"Receiver.recv", b"Sender.send"}
                    process.send_signal(signal.SIGCONT)
        finally:
            process.kill()
