"""select under load: fairness among ready cases, and exactly one effect per select."""

import random
from collections import Counter

import pytest
from support import PATIENCE, Call, execute, interpreter, wait_for_blocked

import xichan

TEXT = "text that needs a block"


def channels(number, capacity=1):
    return zip(*(xichan.channel(capacity) for _ in range(number)), strict=True)


@pytest.mark.parametrize("ready", [range(8), (0, 1), (3, 4, 5), (2, 7), (6,)], ids=str)
@pytest.mark.parametrize("kind", ["recv", "send", "mixed"])
def test_select_chooses_ready_cases_fairly(ready, kind):
    rounds = 2000
    txs, rxs = (list(ends) for ends in channels(8))
    sends = [kind == "send" or (kind == "mixed" and i % 2 == 1) for i in range(8)]
    cases = [(txs[i], i) if sends[i] else rxs[i] for i in range(8)]
    for i in range(8):
        if sends[i] != (i in ready):
            txs[i].send(i)
    chosen = Counter()
    for _ in range(rounds):
        case, _ = xichan.select(cases, timeout=0)
        i = cases.index(case)
        chosen[i] += 1
        rxs[i].recv_nowait() if sends[i] else txs[i].send_nowait(i)
    assert set(chosen) == set(ready)
    assert min(chosen.values()) >= rounds / len(ready) / 2, chosen


@pytest.mark.parametrize("selects", [2, 3, 4, 8])
def test_alternating_selects_are_each_fair(selects):
    """Selects that alternate in one thread must not share their random order."""
    rounds, per = 1000, 4
    groups = [[list(ends) for ends in channels(per)] for _ in range(selects)]
    chosen = [Counter() for _ in groups]
    for txs, _ in groups:
        for i, tx in enumerate(txs):
            tx.send(i)
    for _ in range(rounds):
        for (txs, rxs), counter in zip(groups, chosen, strict=True):
            _, i = xichan.select(rxs)
            counter[i] += 1
            txs[i].send(i)
    for counter in chosen:
        assert len(counter) == per and min(counter.values()) >= rounds / per / 2, chosen


@pytest.mark.parametrize("capacity", [0, 1, 64, None])
def test_many_selects_receive_each_value_once(capacity):
    """Plain receivers share the channels with selects; each item arrives once, in its producer's order."""
    txs, rxs = (list(ends) for ends in channels(6, capacity))
    each = 800

    def produce(name):
        rng = random.Random(name)
        for i in range(each):
            tx = rng.choice(txs)
            if i % 3:
                tx.send((name, i, TEXT))
            else:
                xichan.select([(tx, (name, i, TEXT)), (txs[0], (name, i, TEXT))])

    def consume(name):
        got, cases = [], random.Random(name).sample(rxs, 6)
        while cases:
            try:
                got.append(xichan.select(cases)[1][:2])
            except xichan.ChannelClosed as error:
                cases.remove(error.case)
        return got

    takers = [Call(consume, name) for name in range(4)] + [
        Call(lambda rx: [value[:2] for value in rx], rx) for rx in rxs[:3]
    ]
    givers = [Call(produce, name) for name in range(4)]
    for giver in givers:
        giver.result(100)
    for tx in txs:
        tx.close()
    taken = [taker.result(100) for taker in takers]
    assert Counter(item for items in taken for item in items) == Counter(
        (name, i) for name in range(4) for i in range(each)
    )
    assert sum(rx.stats().received for rx in rxs) == 4 * each


@pytest.mark.parametrize("capacity", [0, 1, 64])
def test_selects_in_two_interpreters_receive_each_value_once(capacity):
    pytest.importorskip("concurrent.interpreters")
    txs, rxs = (list(ends) for ends in channels(3, capacity))
    number = 6000
    with interpreter(txs=tuple(txs)) as interp:
        for tx in txs:
            tx.close()
        sender = execute(
            interp,
            f"""
            import xichan
            for i in range({number}):
                xichan.select([(tx, (i, "text that needs a block")) for tx in txs])
            for tx in txs:
                tx.close()
        """,
        )
        got, cases = [], list(rxs)
        while cases:
            try:
                got.append(xichan.select(cases)[1][0])
            except xichan.ChannelClosed as error:
                cases.remove(error.case)
        sender.result()
    assert sorted(got) == list(range(number))
    if capacity == 0:
        assert got == list(range(number)), "one send after the other"


def test_rendezvous_select_never_pairs_with_itself():
    (tx, tx_b), (rx, rx_b) = channels(2, 0)
    for cases in ([rx, (tx, 1)], [(tx, 1), rx], [(tx, 1), (tx_b, 2), rx_b, rx, rx.clone(), (tx.clone(), 3)]):
        for timeout in (0, 0.02):
            with pytest.raises(xichan.ChannelTimeout):
                xichan.select(cases, timeout)
    waiting = Call(xichan.select, [rx, (tx, "offered")])
    wait_for_blocked(rx, senders=1, receivers=1)
    assert rx.recv_nowait() == "offered"
    assert waiting.result()[0] == (tx, "offered")
    waiting = Call(xichan.select, [rx, (tx, "offered")])
    wait_for_blocked(rx, senders=1, receivers=1)
    tx.send_nowait("taken")
    assert waiting.result() == (rx, "taken")
    assert rx.stats().sent == rx.stats().received == 2 and tx_b.stats().sent == 0


def test_identical_rendezvous_selects_pair_with_each_other():
    tx, rx = xichan.channel(0)
    for _ in range(200):
        calls = [Call(xichan.select, [rx, (tx, name)], PATIENCE) for name in "ab"]
        results = [call.result() for call in calls]
        values = [value for _, value in results]
        assert values in (["b", None], [None, "a"]), results
    assert rx.stats().sent == 200


@pytest.mark.parametrize("number", [1, 2, 5])
def test_rendezvous_selects_in_opposite_order_do_not_deadlock(number):
    rounds = 2000
    txs, rxs = (list(ends) for ends in channels(number, 0))

    def send():
        return [xichan.select([(tx, (n, i)) for n, tx in enumerate(txs)], PATIENCE)[0][1] for i in range(rounds)]

    def receive():
        return [xichan.select(rxs[::-1], PATIENCE)[1] for _ in range(rounds)]

    sender, receiver = Call(send), Call(receive)
    assert sender.result(100) == receiver.result(100)
    assert sum(rx.stats().sent for rx in rxs) == rounds


def test_rendezvous_selects_work_when_either_side_may_send():
    """Each select offers on one channel and receives on the other, so each pairing affects both sides."""
    rounds = 2000
    (tx_a, tx_b), (rx_a, rx_b) = channels(2, 0)

    def play(name, tx, rx, first):
        log = []
        for i in range(rounds):
            cases = [(tx, (name, i)), rx]
            case, value = xichan.select(cases if first else cases[::-1], PATIENCE)
            log.append(case[1] if case is not rx else value)
        return log

    one, other = Call(play, "one", tx_a, rx_b, True), Call(play, "other", tx_b, rx_a, False)
    assert one.result(100) == other.result(100)
    assert rx_a.stats().sent + rx_b.stats().sent == rounds
    assert rx_a.stats().waiting_senders == rx_a.stats().waiting_receivers == 0


@pytest.mark.parametrize("capacity", [0, 1])
def test_rendezvous_selects_work_across_interpreters(capacity):
    pytest.importorskip("concurrent.interpreters")
    rounds = 2000
    (tx_a, tx_b), (rx_a, rx_b) = channels(2, capacity)
    report, reports = xichan.channel(1)
    with interpreter(tx=tx_b, rx=rx_a, report=report) as interp:
        other = execute(
            interp,
            f"""
            import xichan
            sent = received = 0
            while sent + received < {rounds}:
                case, value = xichan.select([rx, (tx, "from there")], 30)
                assert value in (None, "from here")
                sent, received = sent + (value is None), received + (value is not None)
            report.send((sent, received))
        """,
        )
        sent = received = 0
        while sent + received < rounds:
            case, value = xichan.select([(tx_a, "from here"), rx_b], PATIENCE)
            assert value in (None, "from there")
            sent, received = sent + (value is None), received + (value is not None)
        other.result()
        there = reports.recv(PATIENCE)
    if capacity == 0:
        assert (sent, received) == there[::-1]
    assert sent - len(rx_a) == there[1] and there[0] - len(rx_b) == received


MOVE = """
import itertools, xichan
for source in itertools.cycle((0, 1)):
    try:
        stopped.recv_nowait()
        break
    except xichan.ChannelEmpty:
        pass
    {move}
"""
MOVE_MESSAGE = "txs[1 - source].send({message!r}); rxs[source].recv()"  # arrives before the other one leaves
MOVE_SLOT = "rxs[source].recv(); txs[1 - source].send({message!r})"  # is free before the other one is used
AT_ONCE = {
    "mpmc": ({"capacity": 4}, MOVE_MESSAGE, 1),
    "unbounded": ({"capacity": None}, MOVE_MESSAGE, TEXT),
    "relaxed": ({"capacity": 4, "flavor": "relaxed"}, MOVE_MESSAGE, 1),
    "slot": ({"capacity": 1}, MOVE_SLOT, 1),
    "bytes": ({"capacity": 4, "max_bytes": 400}, MOVE_SLOT, "x" * 200),
}


@pytest.mark.parametrize(("options", "move", "message"), AT_ONCE.values(), ids=AT_ONCE)
def test_select_without_waiting_finds_what_is_always_ready(options, move, message):
    """Another interpreter makes the second of two channels ready before it uses up the first, and so on."""
    txs, rxs = zip(*(xichan.channel(**options) for _ in range(2)), strict=True)
    stop, stopped = xichan.channel(1)
    receives = move is MOVE_MESSAGE
    cases = rxs if receives else tuple((tx, message) for tx in txs)
    txs[0].send(message)
    missed = 0
    with interpreter(txs=txs, rxs=rxs, stopped=stopped) as interp:
        moving = execute(interp, MOVE.format(move=move.format(message=message)))
        for _ in range(100_000):
            try:
                case, _ = xichan.select(cases, timeout=0)
            except xichan.ChannelTimeout:
                missed += 1
                continue
            if receives:
                txs[rxs.index(case)].send(message, timeout=PATIENCE)
            else:
                rxs[cases.index(case)].recv(timeout=PATIENCE)
        stop.send(True)
        moving.result()
    assert missed == 0
