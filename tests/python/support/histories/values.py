"""Histories of AtomicInt and Cell."""

from __future__ import annotations

import xichan
from support.linearizability import cell_step, int_step

from .recorder import Kind, checks

LEAST, MOST = -(2**63), 2**63 - 1


def act_on_int(r):
    (number,), rng = r.objects, r.rng
    far = rng.random() < 0.5  # near the ends of the range, where additions may overflow
    for _ in range(r.steps):
        value = rng.choice((LEAST, MOST, 0, 2**62 - 1)) if far else rng.randrange(-3, 4)
        match rng.randrange(10):
            case 0:
                r.call(0, "value", (), lambda: number.value)
            case 1:
                r.call(0, "set", (value,), setattr, number, "value", value)
            case 2:
                r.call(0, "exchange", (value,), number.exchange, value)
            case 3 | 4 | 5:
                seen = r.call(0, "value", (), lambda: number.value)
                r.call(0, "compare_exchange", (seen, value), number.compare_exchange, seen, value)
            case 6:
                amount = rng.choice((2**33, -(2**33), value))
                r.call(0, "add", (amount,), number.add, amount)
            case _:
                amount = rng.choice((1, -1, 5))
                r.call(0, "add", (amount,), number.add, amount)


def act_on_cell(r):
    (cell,), rng = r.objects, r.rng
    version = 1
    for _ in range(r.steps):
        value = rng.randrange(100) << rng.choice((0, 70))  # in the Cell itself, or in a block
        match rng.randrange(10):
            case 0 | 1 | 2:
                r.call(0, "get", (), cell.get)
            case 3:
                version = r.call(0, "version", (), lambda: cell.version)
            case 4 | 5:
                r.call(0, "set", (value,), cell.set, value)
            case 6:
                r.call(0, "swap", (value,), cell.swap, value)
            case 7:
                r.call(0, "update", (), cell.update, lambda before: before + 1)
            case 8:
                version = r.call(0, "version", (), lambda: cell.version)
                r.call(0, "compare_and_set", (version, value), cell.compare_and_set, version, value)
            case 9:
                r.call(0, "wait", (version,), cell.wait, version, rng.choice((0, 0.0003)))


KINDS = {
    "AtomicInt": Kind(lambda: (xichan.AtomicInt(),), act_on_int, checks(0, int_step)),
    "Cell": Kind(lambda: (xichan.Cell(0),), act_on_cell, checks((1, 0), cell_step)),
}
