"""The waits of inspect() across signals, forks, the end of an interpreter, and a process that is stopped."""

import os
import signal
import struct
import subprocess
import sys
import textwrap
import time

from support import environment, run_script


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
