"""Loops over each operation leave no memory, neither Python's nor the arena's."""

import pytest
from support import run_script

LOOPS = {
    "channels": "xichan.channel(8)",
    "clones": "tx.clone(); rx.clone().close(); xichan.Sender.from_id(tx.id)",
    "small values": "tx.send(i); rx.recv(); tx.send_nowait(1.5); rx.recv_nowait()",
    "large values": "tx.send((i, 'x' * 100, (b'y' * 1000, 2**100))); rx.recv()",
    "ends in messages": "tx.send((tx, (rx, tx))); rx.recv()",
    "pickles": "pickle.loads(pickle.dumps((tx, rx))); copy.copy(tx)",
    "refusals": "refused(lambda: tx.send((1, 'x' * 100, [])))",
    "empty": "refused(rx.recv_nowait); refused(lambda: rx.recv(0)); refused(lambda: rx.recv(1e-6))",
    "full": "refused(lambda: full.send_nowait('x' * 100)); refused(lambda: full.send('x' * 100, 1e-6))",
    "closed": "e = tx.clone(); e.close(); refused(lambda: e.send(1)); refused(e.clone); refused(e.__reduce__)",
    "not found": "refused(lambda: xichan.Sender.from_id(i))",
    "bad arguments": "refused(lambda: rx.recv(-1)); refused(lambda: tx.send(1, 'x')); refused(lambda: tx.send(nope=1))",
    "looking": "repr(tx); len(tx); tx.id; rx.closed; tx.capacity; xichan.memory_stats(); xichan.Sender[int]; hash(tx)",
    "weak references": "weakref.ref(tx.clone())",
    "is_shareable": "xichan.is_shareable((tx, 'x' * 100)); xichan.is_shareable((tx, []))",
}


def loop_without_leak(body, setup="", rounds=10_000):
    """Run a statement over and over, in a process of its own, and look at what memory is left."""
    run_script(
        """
        import copy, gc, pickle, resource, sys, weakref
        import xichan
        from support import alive

        def refused(call):
            try:
                call()
            except (xichan.Error, ValueError, TypeError, IndexError):
                return
            raise AssertionError

        tx, rx = xichan.channel(4)
        full, other_end = xichan.channel(1)
        full.send(0)
        """
        + setup
        + f"""
        def loop(n):
            for i in range(n):
                {body}
        """
        + """
        def rss():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * resource.getpagesize()

        rounds = int(sys.argv[1])
        loop(rounds // 5)
        gc.collect()
        blocks, before, ours = sys.getallocatedblocks(), rss(), alive()
        loop(rounds)
        gc.collect()
        assert alive() == ours
        grown = sys.getallocatedblocks() - blocks
        assert grown < rounds // 10, f"{grown} blocks after {rounds} rounds"
        assert rss() - before <= 512 * 1024, f"grown by {rss() - before} bytes"
        """,
        rounds,
    )


@pytest.mark.parametrize("name", LOOPS)
def test_no_memory_is_left_by(name):
    loop_without_leak(LOOPS[name])
