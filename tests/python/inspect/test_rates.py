"""The rates of channels in inspect(): since the caller's previous call."""

from support import Call
from support.waits import only_wait

import xichan


def rates_of(end):
    (found,) = [channel for channel in xichan.inspect().channels if channel.id == end.id]
    return found.sent_per_second, found.received_per_second


def test_rates_are_those_since_the_previous_inspection():
    tx, rx = xichan.channel(10)
    rates_of(tx)
    tx.send_many([1, 2, 3])
    assert rx.recv() == 1
    sent, received = rates_of(tx)
    assert sent > received > 0
    assert rates_of(tx) == (0, 0)


def test_deadlocks_does_not_change_the_rates():
    tx, rx = xichan.channel(10)
    keep, blocked = xichan.channel(1)
    call = Call(blocked.recv)
    only_wait()
    rates_of(tx)
    tx.send_many([1, 2, 3])
    assert rx.recv() == 1
    xichan.deadlocks()
    sent, received = rates_of(tx)
    assert sent > received > 0
    keep.send(1)
    assert call.result() == 1
