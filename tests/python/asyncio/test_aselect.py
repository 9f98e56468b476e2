"""aselect: select in an event loop."""

import asyncio

import pytest
from support import PATIENCE, Call, run_loop, wait_until_blocked

import xichan

TEXT = "text that needs a block"


def test_aselect_returns_the_case_and_the_value():
    (tx_a, rx_a), (tx_b, rx_b) = xichan.channel(1), xichan.channel(1)

    async def main():
        task = asyncio.create_task(xichan.aselect(iter([rx_a, rx_b])))
        await wait_until_blocked(tx_a, receivers=1)
        await wait_until_blocked(tx_b, receivers=1)
        tx_b.send(TEXT)
        case, value = await task
        assert case is rx_b and value == TEXT and tx_a.stats().waiting_receivers == 0
        sending = (tx_a, TEXT)
        case, value = await xichan.aselect([rx_b, sending])
        assert case is sending and value is None
        task = asyncio.create_task(xichan.aselect([rx_b, (tx_a, "second")]))
        await wait_until_blocked(rx_a, senders=1)
        assert rx_a.recv() == TEXT
        assert await task == ((tx_a, "second"), None) and rx_a.recv() == "second"
        tx_b.close()
        with pytest.raises(xichan.ChannelClosed) as caught:
            await xichan.aselect([rx_a, rx_b])
        assert caught.value.case is rx_b

    run_loop(main())


@pytest.mark.parametrize(
    "make, error",
    [(lambda tx, rx: [], ValueError), (lambda tx, rx: [1], TypeError), (lambda tx, rx: [tx], TypeError),
     (lambda tx, rx: [(1, 2)], TypeError), (lambda tx, rx: [()], TypeError), (lambda tx, rx: [(rx, 1)], TypeError),
     (lambda tx, rx: [rx, (tx,)], TypeError), (lambda tx, rx: None, TypeError),
     (lambda tx, rx: [(tx, object())], xichan.NotShareableError)],
)  # fmt: skip
def test_aselect_rejects_invalid_cases(make, error):
    tx, rx = xichan.channel(1)

    async def main():
        with pytest.raises(error):
            await xichan.aselect(make(tx, rx))
        with pytest.raises(TypeError):
            await xichan.aselect()
        with pytest.raises(TypeError):
            await xichan.aselect([rx], 1)

    run_loop(main())
    assert len(rx) == 0


def test_aselect_chooses_ready_cases_fairly():
    pairs = [xichan.channel(1) for _ in range(4)]
    chosen = [0] * 4

    async def main():
        for i in (1, 2):
            pairs[i][0].send(i)
        for _ in range(1000):
            case, i = await xichan.aselect([rx for _, rx in pairs])
            chosen[i] += 1
            pairs[i][0].send(i)

    run_loop(main())
    assert min(chosen[1], chosen[2]) >= 250, chosen


@pytest.mark.parametrize("taker", ["thread", "task", "select"])
def test_rendezvous_offer_of_aselect_takes_effect_once(taker):
    """Each round offers one value on three channels; exactly one offer is taken."""
    pairs = [xichan.channel(0) for _ in range(3)]
    rounds = 300

    def take():
        got = []
        for i in range(rounds):
            rx = pairs[i * 7 % 3][1]
            got.append(rx.recv(PATIENCE) if taker == "thread" else xichan.select([rx, pairs[0][1]], PATIENCE)[1])
        return got

    async def take_in_a_task():
        return [await pairs[i * 7 % 3][1].arecv() for i in range(rounds)]

    async def main():
        other = asyncio.create_task(take_in_a_task()) if taker == "task" else Call(take)
        for i in range(rounds):
            cases = [(tx, (i, TEXT)) for tx, _ in pairs]
            case, value = await xichan.aselect(cases)
            assert any(case is one for one in cases) and value is None
        got = await other if taker == "task" else await asyncio.to_thread(other.result)
        assert got == [(i, TEXT) for i in range(rounds)]
        assert sum(rx.stats().sent for _, rx in pairs) == rounds

    run_loop(main())


def test_aselect_of_both_endpoints_never_pairs_with_itself():
    tx, rx = xichan.channel(0)

    async def main():
        for cases in ([rx, (tx, 1)], [(tx, 1), rx]):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(xichan.aselect(cases), 0.02)
        both = [asyncio.create_task(xichan.aselect([rx, (tx, name)])) for name in "ab"]
        values = [value for _, value in await asyncio.gather(*both)]
        assert values in (["b", None], [None, "a"])
        assert tx.stats().sent == 1

    run_loop(main())
