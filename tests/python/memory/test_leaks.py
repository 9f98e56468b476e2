"""Loops over each operation leak neither Python's memory nor the arena's."""

import pytest
from support.memory import loop_without_leak

LOOPS = {
    "channels": "xichan.channel(8)",
    "clones": "tx.clone(); rx.clone().close(); xichan.Sender.from_id(tx.id)",
    "small values": "tx.send(i); rx.recv(); tx.send_nowait(1.5); rx.recv_nowait()",
    "large values": "tx.send((i, 'x' * 100, (b'y' * 1000, 2**100))); rx.recv()",
    "ends in messages": "tx.send((tx, (rx, tx))); rx.recv()",
    "pickles": "pickle.loads(pickle.dumps((tx, rx))); copy.copy(tx)",
    "refusals": "refused(lambda: tx.send((1, 'x' * 100, object())))",
    "empty": "refused(rx.recv_nowait); refused(lambda: rx.recv(0)); refused(lambda: rx.recv(1e-6))",
    "full": "refused(lambda: full.send_nowait('x' * 100)); refused(lambda: full.send('x' * 100, 1e-6))",
    "closed": "e = tx.clone(); e.close(); refused(lambda: e.send(1)); refused(e.clone); refused(e.__reduce__)",
    "not found": "refused(lambda: xichan.Sender.from_id(i))",
    "bad arguments": "refused(lambda: rx.recv(-1)); refused(lambda: tx.send(1, 'x')); refused(lambda: tx.send(nope=1))",
    "looking": "repr(tx); len(tx); tx.id; rx.closed; tx.capacity; xichan.memory_stats(); xichan.Sender[int]; hash(tx)",
    "weak references": "weakref.ref(tx.clone())",
    "is_shareable": "xichan.is_shareable((tx, 'x' * 100)); xichan.is_shareable((tx, object()))",
}


@pytest.mark.parametrize("name", LOOPS)
def test_operation_leaks_no_memory(name):
    loop_without_leak(LOOPS[name])
