"""select over Receivers alone: fairness, which case raises, and what Python code may change meanwhile."""

import gc
import threading
from collections import Counter

import pytest
from support import PATIENCE, run_script

import xichan
from xichan import _core

CALLS = {"select": xichan.select, "timeout": lambda cases: xichan.select(cases, 0), "try": _core._try_select}


@pytest.fixture(params=CALLS)
def select(request):
    return CALLS[request.param]


def channels(number, capacity=4, **options):
    return zip(*(xichan.channel(capacity, **options) for _ in range(number)), strict=True)


def fill(txs, per=1):
    for i, tx in enumerate(txs):
        tx.send_many([i] * per)


@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize("number", [1, 2, 7, 8, 64, 65, 300])
def test_ready_receivers_take_turns(select, number, kind):
    txs, rxs = channels(number)
    cases = kind(rxs)
    fill(txs, per=3)
    chosen = [select(cases)[1] for _ in range(3 * number)]
    for start in range(2 * number):
        assert len(set(chosen[start : start + number])) == number


def test_ready_receivers_among_empty_ones_take_turns(select):
    txs, rxs = channels(8)
    cases = list(rxs)
    ready = (1, 2, 6)
    for i in ready:
        txs[i].send(i)
    chosen = []
    for _ in range(30):
        _, i = select(cases)
        chosen.append(i)
        txs[i].send(i)
    assert all(set(chosen[start : start + 3]) == set(ready) for start in range(27))


@pytest.mark.parametrize("lists", [2, 3, 100])
def test_selects_that_share_receivers_are_each_fair(select, lists):
    (tx, *txs), (rx, *rxs) = channels(3)
    idle = [xichan.channel(1) for _ in range(lists)]
    groups = [[rx, *rxs, idle[i][1]] if i % 2 else [rx, *rxs[::-1]] * (1 + i // 4) for i in range(lists)]
    fill([tx, *txs])
    chosen = [Counter() for _ in groups]
    for _ in range(300):
        for group, counter in zip(groups, chosen, strict=True):
            _, i = select(group)
            counter[i] += 1
            [tx, *txs][i].send(i)
    for counter in chosen:
        assert len(counter) == 3 and min(counter.values()) >= 25, chosen


def test_receiver_that_is_passed_twice_is_received_from_once(select):
    (tx,), (rx,) = channels(1)
    tx.send_many([1, 2])
    assert [select([rx, rx, rx])[1] for _ in range(2)] == [1, 2]
    assert len(rx) == 0


@pytest.mark.parametrize("place", [0, 3, 7])
def test_closed_receiver_raises_before_a_ready_one_is_chosen(select, place):
    txs, rxs = channels(8)
    fill(txs)
    rxs[place].close()
    for _ in range(20):
        with pytest.raises(xichan.ChannelClosed) as caught:
            select(list(rxs))
        assert caught.value.case is rxs[place]
    assert sum(len(rx) for rx in rxs if not rx.closed) == 7


@pytest.mark.parametrize("place", [0, 3, 7])
def test_invalid_case_receives_nothing(select, place):
    txs, rxs = channels(8)
    fill(txs)
    for wrong in (1, None, txs[0], (rxs[0], 1), ()):
        cases = list(rxs)
        cases[place] = wrong
        with pytest.raises(TypeError, match="a case must be a Receiver"):
            select(cases)
    assert [len(rx) for rx in rxs] == [1] * 8


def test_finished_channel_takes_its_turn(select):
    (tx, done), (rx, ended) = channels(2)
    done.close()
    tx.send_many([1] * 4)
    outcomes = []
    for _ in range(4):
        try:
            outcomes.append(select([rx, ended])[1])
        except xichan.ChannelClosed as error:
            assert error.case is ended
            outcomes.append("closed")
    assert outcomes in ([1, "closed"] * 2, ["closed", 1] * 2)


def test_failed_channel_raises_its_error_with_the_case(select):
    (tx, other), (rx, idle) = channels(2)
    tx.close(error=KeyError("reason"))
    for _ in range(2):
        with pytest.raises(xichan.ChannelFailed) as caught:
            select([idle, rx])
        assert caught.value.case is rx and isinstance(caught.value.__cause__, KeyError)
    assert not other.closed


@pytest.mark.parametrize("flavor", ["mpmc", "spsc", "relaxed", "rendezvous"])
def test_each_flavor_is_received_from(select, flavor):
    options = {"capacity": 0} if flavor == "rendezvous" else {"capacity": 4, "flavor": flavor}
    (tx, _), (rx, idle) = channels(2, **options)
    sender = threading.Thread(target=tx.send, args=(1, PATIENCE))
    sender.start()
    result = None
    while result is None:
        try:
            result = select([idle, rx])
        except xichan.ChannelTimeout:
            continue
    sender.join()
    assert result == (rx, 1)


def test_other_receiver_of_an_spsc_channel_raises(select):
    (tx,), (rx,) = channels(1, flavor="spsc")
    tx.send_many([1, 2])
    assert rx.recv() == 1
    with pytest.raises(xichan.Error, match="spsc"):
        select([rx.clone()])
    assert rx.drain() == [2]


@pytest.mark.parametrize("call", [xichan.select, _core._try_select])
def test_select_without_copy_receives_views(call):
    (tx,), (rx,) = channels(1)
    tx.send((1, 2))
    case, value = call([rx], copy=False)
    assert case is rx and type(value) is xichan.TupleView and value == (1, 2)


def test_select_of_a_list_subclass_iterates_over_it(select):
    class Shuffled(list):
        def __iter__(self):
            yield rx

    (tx, other), (rx, idle) = channels(2)
    tx.send(1)
    other.send(2)
    assert select(Shuffled([idle])) == (rx, 1)
    assert len(idle) == 1


class Emptying:
    """An object whose arrival empties the list that is being selected from."""

    cases: list = []

    @staticmethod
    def arrive(value):
        Emptying.cases.clear()
        gc.collect()
        return Emptying()


def test_list_may_change_while_a_value_is_made(select):
    xichan.register(Emptying, lambda value: 1, Emptying.arrive)
    tx, rx = xichan.channel()
    tx.send(Emptying())
    identity = rx.id
    idle_tx, idle = xichan.channel(1)
    Emptying.cases = [rx, idle]
    del rx
    case, value = select(Emptying.cases)
    assert type(value) is Emptying and case.id == identity and Emptying.cases == []
    assert not idle_tx.closed


def test_list_may_change_while_an_error_is_raised(select):
    xichan.register(Emptying, lambda value: 1, Emptying.arrive)
    tx, rx = xichan.channel()
    identity = rx.id
    Emptying.cases = [rx]
    tx.close(error=ValueError(Emptying()))
    del rx
    with pytest.raises(xichan.ChannelFailed) as caught:
        select(Emptying.cases)
    assert caught.value.case.id == identity and Emptying.cases == []


def test_unread_value_of_one_receiver_comes_first():
    pytest.importorskip("_testcapi", reason="only _testcapi can make Python's own allocators fail")
    run_script("""
        import _testcapi, xichan
        from support import alive, left_over
        before = alive()
        kept, hoard = 0, []
        for n in range(40):
            pairs = [xichan.channel(4) for _ in range(3)]
            rxs = [rx for _, rx in pairs]
            pairs[1][0].send((1, "text that needs a block"))
            result = None
            hoard += [(i, n) for i in range(3000)]  # so that no tuple is left that could be used again
            _testcapi.set_nomemory(n)
            try:
                result = xichan.select(rxs)
            except MemoryError:
                pass
            finally:
                _testcapi.remove_mem_hooks()
            for tx, _ in (pairs[0], pairs[2]):
                tx.send("ready")
            if result is None:
                if len(rxs[1]) != 0:
                    continue
                kept += 1
                result = xichan.select(rxs, 0)
            assert result == (rxs[1], (1, "text that needs a block")), n
        assert kept > 0
        del tx, _, pairs, rxs, result
        assert left_over(before) == {}
    """)


def test_selects_of_one_list_in_several_threads_receive_each_value_once():
    txs, rxs = channels(8, 64)
    cases = list(rxs)
    got = Counter()
    lock = threading.Lock()

    def take():
        mine = []
        try:
            while True:
                mine.append(xichan.select(cases, PATIENCE)[1])
        except xichan.ChannelClosed:
            with lock:
                got.update(mine)

    takers = [threading.Thread(target=take) for _ in range(4)]
    for taker in takers:
        taker.start()
    for i in range(4000):
        txs[i % 8].send(i, PATIENCE)
    for rx in rxs:
        while len(rx):
            pass
    for tx in txs:
        tx.close()
    for taker in takers:
        taker.join()
    assert got == Counter(range(4000))
