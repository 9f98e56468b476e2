"""A thread of another interpreter is stopped repeatedly at arbitrary instructions while it sends or receives:
non-blocking calls are not delayed, other channels continue, and nothing is lost when the thread resumes.

The signal handlers are C library functions. The stop signal runs `pause` in the thread, at any instruction; `pause`
returns when another signal has been handled. The peer therefore also stops between its claim and its publication, which
is visible from outside: an item exists, yet `recv_nowait` raises ChannelEmpty.

Prints how often that happened, and the duration of a call beside a stopped peer. With more than 1000 rounds the
fastest of several calls must take less than 1 ms in each round. The peer never blocks: a thread that is stopped while
it goes to sleep may hold the short lock of a list of waiters.
"""

import ctypes
import signal
import threading
import time

from common import assert_released, feed_watchdog, receive_result, size
from support import alive, execute, interpreter, wait_until

import xichan

STOP, GO_ON = signal.SIGUSR1, signal.SIGUSR2
KINDS = {
    "mpmc 1": {"capacity": 1},
    "mpmc": {"capacity": 1000},  # large enough that the peer is still busy when the signal arrives
    "spsc": {"capacity": 1000, "flavor": "spsc"},
    "unbounded": {"capacity": None},
    "relaxed": {"capacity": 1000, "flavor": "relaxed"},
    "max_bytes": {"capacity": 1000, "max_bytes": 100_000},
}
CALLS = 5  # per round, beside a stopped peer

PEER = """
import threading, xichan
report.send((threading.get_ident(), threading.get_native_id()))
stopped = stop.recv_nowait
i = 0
while True:
    try:
        for _ in range(1000):
            {call}
            i += 1
    except ({refused}):
        pass
    except xichan.ChannelClosed:
        pass  # the thread lives until it is told to stop, because it is signaled
    try:
        stopped()
        break
    except xichan.ChannelEmpty:
        pass
report.send(i)
"""
PEERS = {
    # Under a limit of its own, for the flavor without a bound.
    "sender": PEER.format(
        call="if len(end) > 10_000: break\n            end.send_nowait(i)", refused="xichan.ChannelFull"
    ),
    "receiver": PEER.format(call="assert (got := end.recv_nowait()) == i, (got, i)", refused="xichan.ChannelEmpty"),
}
ECHO = "for item in pings: pongs.send(item)"


def install_handlers():
    libc = ctypes.CDLL(None)
    libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
    libc.signal.restype = ctypes.c_void_p
    for number, function in ((STOP, libc.pause), (GO_ON, libc.abs)):  # abs has no effect
        libc.signal(number, ctypes.cast(function, ctypes.c_void_p))


class Peer:
    """The thread to stop. It never sleeps by itself."""

    def __init__(self, ident, native):
        self.ident, self.file = ident, f"/proc/self/task/{native}/stat"

    def sleeps(self):
        with open(self.file) as file:
            return file.read().rpartition(")")[2].split()[0] == "S"

    def __enter__(self):
        signal.pthread_kill(self.ident, STOP)
        wait_until(self.sleeps)

    def __exit__(self, *error):
        while self.sleeps():
            signal.pthread_kill(self.ident, GO_ON)


class Local:
    """The non-blocking calls of this interpreter on its endpoint."""

    def __init__(self, end, sends):
        self.end, self.sends, self.i = end, sends, 0

    def once(self):
        """Pass one item; return whether that succeeded."""
        try:
            if self.sends:
                self.end.send_nowait(self.i)
            else:
                got = self.end.recv_nowait()
                assert got == self.i, (got, self.i)
        except (xichan.ChannelEmpty, xichan.ChannelFull):
            return False
        self.i += 1
        return True

    def until_refused(self):
        for _ in range(2 * (self.end.capacity or 1000)):  # bounded: the peer may keep up indefinitely
            if not self.once():
                break

    def look(self):
        """Make the calls that pass no item."""
        len(self.end)
        self.end.stats()
        assert not self.end.closed
        xichan.channels()

    def peer_is_inside(self):
        """Return whether an item or a free slot exists although calls are refused."""
        if self.sends:
            return self.end.capacity is not None and len(self.end) < self.end.capacity
        return len(self.end) > 0


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def stop_repeatedly(peer, local, rounds, ping):
    """Return (how often the peer was between claim and publication, the slowest of the fastest calls)."""
    inside, slowest = 0, 0.0
    for number in range(rounds):
        local.until_refused()
        with peer:
            local.until_refused()  # items published before the stop
            slowest = max(slowest, min(timed(local.once) for _ in range(CALLS)))
            inside += local.peer_is_inside()
            local.look()
            ping(number)
        feed_watchdog()
    return inside, slowest


def run(role, kind, rounds):
    tx, rx = xichan.channel(**KINDS[kind])
    report, reports = xichan.channel(2)
    stop, stopped = xichan.channel(1)
    pings, pinged = xichan.channel(1)
    ponging, pongs = xichan.channel(1)
    theirs, ours = (tx, rx) if role == "sender" else (rx, tx)
    local = Local(ours, role == "receiver")

    def ping(number):
        pings.send(number)
        assert pongs.recv(timeout=30) == number, "another channel is blocked"

    with (
        interpreter(end=theirs, stop=stopped, report=report) as interp,
        interpreter(pings=pinged, pongs=ponging) as other,
    ):
        pinged.close()
        peering, echoing = execute(interp, PEERS[role]), execute(other, ECHO)
        peer = Peer(*receive_result(reports, [peering]))
        try:
            inside, slowest = stop_repeatedly(peer, local, rounds, ping)
        finally:
            stop.send(True)
            pings.close()
        echoing.result()
        number = receive_result(reports, [peering])
        peering.result()
    if role == "sender":
        while local.once():
            pass
        assert local.i == number, "lost or duplicated"
    else:
        assert [rx.recv_nowait() for _ in range(len(rx))] == list(range(number, local.i))
    return inside, slowest


def shut_down(role, kind):
    """Shut the channel down beside a stopped peer."""
    tx, rx = xichan.channel(**KINDS[kind])
    report, reports = xichan.channel(2)
    stop, stopped = xichan.channel(1)
    theirs, ours = (tx, rx) if role == "sender" else (rx, tx)
    local = Local(ours, role == "receiver")
    with interpreter(end=theirs, stop=stopped, report=report) as interp:
        peering = execute(interp, PEERS[role])
        peer = Peer(*receive_result(reports, [peering]))
        local.until_refused()
        with peer:
            ours.shutdown(immediate=True)  # does not wait: the watchdog ends the program otherwise
            assert ours.closed
        stop.send(True)
        receive_result(reports, [peering])
        peering.result()
    assert ours.stats().depth == 0, "an item is left after the discard"
    feed_watchdog()


def main():
    rounds = size()
    assert threading.current_thread() is threading.main_thread()
    install_handlers()
    before = alive()
    lines = []
    for kind in KINDS:
        for role in PEERS:
            inside, slowest = run(role, kind, rounds)
            lines.append(f"{role} {kind} {inside} times inside, {slowest * 1e6:.0f} us")
            assert rounds <= 1000 or slowest < 1e-3, lines[-1]
            for _ in range(min(rounds, 20)):
                shut_down(role, kind)
    assert_released(before)
    print(f"stopped_peers: each {rounds} times; " + "; ".join(lines))


if __name__ == "__main__":
    main()
