"""Descriptors in other interpreters."""

import textwrap

import pytest
from support import interpreter, run_script

import xichan

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


def test_another_interpreter_uses_it(line):
    (tx, there), (back, rx) = xichan.channel(), xichan.channel()
    with interpreter(there=there, back=back) as other:
        tx.send({"connection": line.descriptor})
        other.exec(
            textwrap.dedent("""
            import xichan
            with there.recv()["connection"].socket() as connection:
                connection.sendall(b"from an interpreter")
                back.send(xichan.descriptor(connection))
            """)
        )
        line.end.setblocking(True)
        assert line.end.recv(100) == b"from an interpreter"
        line.check(rx.recv())


@pytest.mark.parametrize("keep", ["kept = rx.recv()", "kept = rx.recv(copy=False)", "pass", "rx.recv().detach"])
def test_end_of_an_interpreter_closes_what_it_holds(line, keep):
    tx, rx = xichan.channel()
    with interpreter(rx=rx) as other:
        rx.close()
        tx.send((line.descriptor, 1))
        other.exec(keep.replace("rx.recv().detach", "import sys; kept = rx.recv(); sys.stdin = [kept[0].fileno]"))
        assert line.is_open()
    assert not line.is_open()


def test_end_of_an_interpreter_with_a_blocked_daemon_thread_closes_what_it_holds():
    """The frame of that thread is never freed."""
    run_script("""
    import socket, _interpreters as low, xichan
    from support import wait_for_blocked, wait_until
    from support.descriptors import has_peer
    held, end = socket.socketpair()
    offered, other_end = socket.socketpair()
    full, full_rx = xichan.channel(1)
    full.send(0)
    tx, rx = xichan.channel()
    tx.send(xichan.descriptor(held))
    tx.send(xichan.descriptor(offered))
    held.close()
    offered.close()
    interp = low.create(low.new_config("isolated", allow_daemon_threads=True))
    low.set___main___attrs(interp, {"rx": rx, "full": full})
    rx.close()
    low.exec(interp, '''if True:
        import threading
        def block():
            held = rx.recv()
            full.send([rx.recv()])
        threading.Thread(target=block, daemon=True).start()
    ''')
    wait_for_blocked(full_rx, senders=1)
    full.close()
    assert has_peer(end) and has_peer(other_end)
    low.destroy(interp)
    assert not has_peer(end)
    wait_until(lambda: not has_peer(other_end))  # its thread releases what it has offered
    """)


def test_sender_interpreter_may_end_first(line):
    tx, rx = xichan.channel()
    (give, there) = xichan.channel()
    with interpreter(tx=tx, there=there) as other:
        give.send(line.descriptor)
        other.exec("tx.send([there.recv()])")
    line.check(rx.recv()[0])
