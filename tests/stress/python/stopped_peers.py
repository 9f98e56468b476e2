"""A thread of another interpreter is stopped where it stands, again and again, in the middle of sending or receiving:
nobody who does not wait is held up, other channels go on, and nothing is lost when it goes on.

The handlers are functions of the C library: the signal that stops runs `pause` in the thread that it hits, at any
instruction, and that ends when another signal has been handled. So the peer also stands between its claim and its
publication, which is seen from outside: there is an item, and yet `recv_nowait` says Empty.

Prints how often that was so, and what a call took beside a stopped peer; with more than 1000 rounds the fastest of some
calls has to be within 1 ms each time. The peer never waits: a thread that is stopped on its way to sleep may hold the
short lock of a list of waiters.
"""

import ctypes
import signal
import threading
import time

from common import checked, progress, settle, size
from support import alive, execute, interpreter, wait_until

import xichan

STOP, GO_ON = signal.SIGUSR1, signal.SIGUSR2
KINDS = {
    "mpmc 1": {"capacity": 1},
    "mpmc": {"capacity": 1000},  # so many that the peer is still at it when the signal comes
    "spsc": {"capacity": 1000, "flavor": "spsc"},
    "relaxed": {"capacity": 1000, "flavor": "relaxed"},
}
CALLS = 5  # beside a stopped peer

PEER = """
import threading, xichan
there.send((threading.get_ident(), threading.get_native_id()))
stopped = stop.recv_nowait
i = 0
while True:
    try:
        for _ in range(1000):
            {call}
            i += 1
    except ({there_is_none}):
        pass
    try:
        stopped()
        break
    except xichan.ChannelEmpty:
        pass
there.send(i)
"""
PEERS = {
    "sender": PEER.format(call="end.send_nowait(i)", there_is_none="xichan.ChannelFull"),
    "receiver": PEER.format(
        call="assert (got := end.recv_nowait()) == i, (got, i)", there_is_none="xichan.ChannelEmpty"
    ),
}
ECHO = "for item in pings: pongs.send(item)"


def install_handlers():
    libc = ctypes.CDLL(None)
    libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
    libc.signal.restype = ctypes.c_void_p
    for number, function in ((STOP, libc.pause), (GO_ON, libc.abs)):  # abs: it does nothing
        libc.signal(number, ctypes.cast(function, ctypes.c_void_p))


class Peer:
    """The thread to stop. It never sleeps of its own accord."""

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


class Mine:
    """What this interpreter does at its end of the channel, without waiting."""

    def __init__(self, end, sends):
        self.end, self.sends, self.i = end, sends, 0

    def once(self):
        """Whether one item went through."""
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
        for _ in range(2 * self.end.capacity):  # a peer that goes on could keep us for ever
            if not self.once():
                break

    def finds_the_peer_inside(self):
        """Refused, although there is an item, or a place."""
        return len(self.end) < self.end.capacity if self.sends else len(self.end) > 0


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def stop_again_and_again(peer, mine, rounds, ping):
    """(how often the peer was between claim and publish, the slowest of the fastest calls beside it)."""
    inside, slowest = 0, 0.0
    for number in range(rounds):
        mine.until_refused()
        with peer:
            mine.until_refused()  # what had been published before it stopped
            slowest = max(slowest, min(timed(mine.once) for _ in range(CALLS)))
            inside += mine.finds_the_peer_inside()
            ping(number)
        progress()
    return inside, slowest


def run(role, kind, rounds):
    tx, rx = xichan.channel(**KINDS[kind])
    there, answers = xichan.channel(2)
    stop, stopped = xichan.channel(1)
    pings, pinged = xichan.channel(1)
    ponging, pongs = xichan.channel(1)
    theirs, ours = (tx, rx) if role == "sender" else (rx, tx)
    mine = Mine(ours, role == "receiver")

    def ping(number):
        pings.send(number)
        assert pongs.recv(timeout=30) == number, "another channel stands still"

    with (
        interpreter(end=theirs, stop=stopped, there=there) as interp,
        interpreter(pings=pinged, pongs=ponging) as other,
    ):
        pinged.close()
        peering, echoing = execute(interp, PEERS[role]), execute(other, ECHO)
        peer = Peer(*checked(answers, [peering]))
        try:
            inside, slowest = stop_again_and_again(peer, mine, rounds, ping)
        finally:
            stop.send(True)
            pings.close()
        echoing.result()
        number = checked(answers, [peering])
        peering.result()
    if role == "sender":
        mine.until_refused()
        assert mine.i == number, "lost or doubled"
    else:
        assert [rx.recv_nowait() for _ in range(len(rx))] == list(range(number, mine.i))
    return inside, slowest


def main():
    rounds = size()
    assert threading.current_thread() is threading.main_thread()
    install_handlers()
    before = alive()
    told = []
    for kind in KINDS:
        for role in PEERS:
            inside, slowest = run(role, kind, rounds)
            told.append(f"{role} {kind} {inside} times inside, {slowest * 1e6:.0f} us")
            assert rounds <= 1000 or slowest < 1e-3, told[-1]
    settle(before)
    print(f"stopped_peers: each {rounds} times; " + "; ".join(told))


if __name__ == "__main__":
    main()
