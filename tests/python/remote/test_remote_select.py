"""select over remote and local endpoints."""

import pytest
from support import Call, run_loop, wait_for_sleep, wait_until

import xichan

nats = pytest.importorskip("xichan.nats")


def channels(hub, name):
    """Make a remote channel and a local one."""
    return (*hub.channel(name), *xichan.channel())


def test_select_receives_from_whichever_is_ready(hub, name):
    tx, rx, local_tx, local_rx = channels(hub, name)
    tx.send("remote")
    assert nats.select([rx, local_rx], timeout=30) == (rx, "remote")
    local_tx.send("local")
    assert nats.select([rx, local_rx], timeout=30) == (local_rx, "local")
    assert nats.select([rx, (local_tx, "sent")], timeout=30)[1] is None
    assert local_rx.recv() == "sent"


def test_select_blocks_until_a_case_is_ready(hub, name):
    tx, rx, local_tx, local_rx = channels(hub, name)
    for send in (tx.send, local_tx.send):
        call = Call(nats.select, [rx, local_rx])
        wait_until(lambda call=call: call.native_id)
        wait_for_sleep(call.native_id)
        send("value")
        assert call.result()[1] == "value"


def test_select_raises_when_its_time_is_up(hub, name):
    _, rx, _, local_rx = channels(hub, name)
    for timeout in (0, 0.05):
        with pytest.raises(xichan.ChannelTimeout):
            nats.select([rx, local_rx], timeout=timeout)


def test_select_reports_a_closed_case(hub, name):
    tx, rx, _, local_rx = channels(hub, name)
    tx.close(error=ValueError("remote end"))
    with pytest.raises(xichan.ChannelFailed, match="remote end") as caught:
        nats.select([rx, local_rx], timeout=30)
    assert caught.value.case is rx
    local_rx.close()
    with pytest.raises(xichan.ChannelClosed):
        nats.select([local_rx], timeout=30)


def test_select_rejects_an_endpoint_in_place_of_cases(hub, name):
    tx, rx, local_tx, local_rx = channels(hub, name)
    tx.send("kept")
    local_tx.send("kept")
    for endpoint in (tx, rx, local_tx, local_rx):
        for call in (nats.select, lambda cases: run_loop(nats.aselect(cases))):
            with pytest.raises(TypeError, match=f"got xichan.*{type(endpoint).__name__}; pass a list of endpoints"):
                call(endpoint)
    assert rx.recv(timeout=30) == local_rx.recv(timeout=30) == "kept"


def test_value_for_a_case_that_was_not_chosen_is_not_lost(hub, name):
    tx, rx, local_tx, local_rx = channels(hub, name)
    for i in range(20):
        local_tx.send(i)
        tx.send(i)
        got = {nats.select([rx, local_rx], timeout=30)[0] for _ in range(2)}
        assert got == {rx, local_rx}


def test_select_refuses_channels_by_lease(hub, name):
    _, rx = hub.channel(name, ack="lease")
    with pytest.raises(TypeError, match="lease"):
        nats.select([rx])


def test_aselect(hub, name):
    tx, rx, local_tx, local_rx = channels(hub, name)

    async def main():
        await tx.asend(1)
        first = await nats.aselect([rx, local_rx])
        await local_tx.asend(2)
        return first, await nats.aselect([rx, local_rx])

    assert run_loop(main()) == ((rx, 1), (local_rx, 2))
