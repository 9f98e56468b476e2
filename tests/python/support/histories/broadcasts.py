"""Histories of broadcast channels."""

from __future__ import annotations

import xichan

from .models import BroadcastState, broadcast_model
from .recorder import Kind, checks

CAPACITY = 3
LEFT_OPEN = []  # until the interpreter ends


def act_on_broadcast(r):
    """Send, subscribe, receive and unsubscribe. The subscription of an interpreter that ends, ends with it."""
    (tx, subscribe), rng, mine, kept = r.objects, r.rng, None, []
    for _ in range(r.steps):
        if mine is None:
            name = r.unique()
            r.call(0, "subscribe", (name,), lambda: kept.append(subscribe()))
            mine = kept.pop()
        match rng.randrange(12):
            case 0 | 1 | 2 | 3:
                value = r.unique()
                r.call(0, "send", (value,), tx.send_nowait, value)
            case 4:
                value = r.unique()
                r.call(0, "send", (value,), tx.send, value, 0.0002)
            case 5:
                r.call(0, "recv", (name,), mine.recv, 0.0002)
            case 6 if rng.random() < 0.05:
                r.call(0, "close", (name,), mine.close)
                mine = None
            case _:
                r.call(0, "recv", (name,), mine.recv_nowait)
    if mine is None:
        return
    if r.leaves:
        LEFT_OPEN.append(mine)
        r.at_end.append((0, "close", (name,)))
    else:
        r.call(0, "close", (name,), mine.close)


def act_on_shared_subscription(r):
    """All receive from one subscription: each message goes to one of them."""
    (tx, mine), rng = r.objects, r.rng
    for _ in range(r.steps):
        value = r.unique()
        if rng.random() < 0.4:
            r.call(0, "send", (value,), tx.send_nowait, value)
        else:
            r.call(0, "recv", (0,), mine.recv_nowait)


def made(overflow):
    return lambda: xichan.broadcast(CAPACITY, overflow)


def made_with_subscription(overflow):
    def make():
        tx, subscribe = xichan.broadcast(CAPACITY, overflow)
        return tx, subscribe()

    return make


NONE, ONE = BroadcastState((), ()), BroadcastState((), ((0, 0),))
KINDS = {}
for overflow in ("block", "drop_oldest"):
    model = broadcast_model(CAPACITY, overflow == "drop_oldest")
    KINDS[f"broadcast, {overflow}"] = Kind(made(overflow), act_on_broadcast, checks(NONE, model))
    KINDS[f"broadcast with one subscription, {overflow}"] = Kind(
        made_with_subscription(overflow), act_on_shared_subscription, checks(ONE, model)
    )
