"""Channels between interpreters: traffic, and the end of an interpreter."""

import random
import textwrap

import pytest
from support import (
    Call,
    alive,
    counts,
    execute,
    interpreter,
    left_over,
    random_value,
    run_script,
    same,
    wait_for_blocked,
)

import xichan

pytest.importorskip("concurrent.interpreters")


def test_every_interpreter_has_its_own_module():
    with interpreter() as interp:
        interp.exec(
            textwrap.dedent(f"""
            import xichan
            assert xichan.__version__ == {xichan.__version__!r}
            tx, rx = xichan.channel()
            tx.send((1, "text that needs a block"))
            assert rx.recv() == (1, "text that needs a block")
            for error in (xichan.ChannelEmpty, xichan.Error):
                try:
                    rx.recv_nowait()
                except error:
                    pass
            assert issubclass(xichan.ChannelTimeout, TimeoutError)
        """)
        )


def test_100_000_messages_there_and_back():
    there, requests = xichan.channel(500)
    replies, back = xichan.channel(500)
    number = 100_000
    with interpreter(requests=requests, replies=replies) as interp:
        requests.close()
        replies.close()
        echo = execute(interp, "for value in requests: replies.send((value, len(requests) >= 0))")

        def produce():
            rng = random.Random(5)
            for _ in range(number):
                there.send(random_value(rng))
            there.close()

        producer = Call(produce)
        rng = random.Random(5)
        for i in range(number):
            value = random_value(rng)
            assert same(back.recv(60), (value, True)), f"message {i}"
        producer.result()
        echo.result()
        assert counts(back)[1] == 1
    with pytest.raises(xichan.ChannelClosed):
        back.recv()


def test_two_interpreters_exchange_messages_without_main():
    tx, rx = xichan.channel(64)
    report, verdict = xichan.channel(1)
    with interpreter(tx=tx) as one, interpreter(rx=rx, report=report) as other:
        for end in (tx, rx, report):
            end.close()
        sender = execute(
            one,
            """
            import random, support
            rng = random.Random(9)
            with tx:
                for _ in range(100_000):
                    tx.send(support.random_value(rng, depth=2))
        """,
        )
        receiver = execute(
            other,
            """
            import random, support
            rng, right = random.Random(9), 0
            for value in rx:
                right += support.same(value, support.random_value(rng, depth=2))
            report.send(right)
        """,
        )
        sender.result(60)
        receiver.result(60)
        assert verdict.recv(0) == 100_000


def test_three_senders_and_three_receivers_deliver_each_item_once():
    tx, rx = xichan.channel(16)
    report, reports = xichan.channel(16)
    each, names = 5000, range(3)
    with interpreter() as a, interpreter() as b, interpreter() as c, interpreter(tx=tx) as d:
        takers = []
        for interp in (a, b, c):
            interp.prepare_main(rx=rx, report=report)
            takers.append(execute(interp, "report.send(tuple(rx))"))
        givers = [execute(d, f"with tx:\n for i in range({each}): tx.send((0, i))")]
        for name in (1, 2):
            givers.append(Call(lambda n: [tx.send((n, i)) for i in range(each)], name))
        rx.close()
        for giver in givers:
            giver.result()
        tx.close()
        for taker in takers:
            taker.result()
        taken = [reports.recv(0) for _ in range(3)]
    assert sorted(sum(taken, ())) == [(n, i) for n in names for i in range(each)]
    for items in taken:
        for name in names:
            assert [i for n, i in items if n == name] == sorted(i for n, i in items if n == name)


def test_messages_outlive_their_interpreter():
    tx, rx = xichan.channel(1000)
    with interpreter(tx=tx) as interp:
        tx.close()
        interp.exec("for i in range(1000): tx.send((i, 'text that needs a block', (b'x' * i, 2**100 + i)))")
    with interpreter(rx=rx) as other:
        rx.close()
        other.exec(
            textwrap.dedent("""
            for i, value in enumerate(rx):
                assert value == (i, 'text that needs a block', (b'x' * i, 2**100 + i))
            assert i == 999 and rx.closed
        """)
        )


def test_interpreter_end_releases_its_senders():
    tx, rx = xichan.channel()
    interp = interpreter(tx=tx)
    with interp as inside:
        tx.close()
        inside.exec("copies = [tx.clone() for _ in range(10)]; cycle = [tx]; cycle.append(cycle); tx.send(1)")
        assert counts(rx) == (11, 1)
        loop = Call(list, rx)
        wait_for_blocked(rx, receivers=1)
    assert loop.result() == [1]
    assert counts(rx) == (0, 1)


def test_interpreter_end_releases_its_receivers():
    tx, rx = xichan.channel(1)
    with interpreter(rx=rx) as interp:
        rx.close()
        interp.exec("copies = [rx.clone() for _ in range(10)]")
        tx.send("text that needs a block")
        blocked = Call(tx.send, "never taken")
        wait_for_blocked(tx, senders=1)
    with pytest.raises(xichan.ChannelClosed, match="all Receivers are closed"):
        blocked.result()


@pytest.mark.parametrize("kind", ["recv", "send"])
def test_interpreter_may_end_with_a_thread_inside_a_call(kind):
    run_script(
        """
        import sys, _interpreters as low, xichan
        from support import Call, alive, counts, wait_for_blocked, wait_until

        kind = sys.argv[1]
        before = alive()
        tx, rx = xichan.channel(1)
        mine, theirs = (tx, rx) if kind == "recv" else (rx, tx)
        if kind == "send":
            tx.send("text that needs a block")
        interp = low.create(low.new_config("isolated", allow_daemon_threads=True))
        low.set___main___attrs(interp, {"end": theirs})
        theirs.close()
        low.exec(interp, '''if True:
            import threading
            work = end.recv if hasattr(end, "recv") else lambda: end.send("another text that needs a block")
            for _ in range(3):
                threading.Thread(target=work, daemon=True).start()
        ''')
        wait_for_blocked(mine, **{{"recv": "receivers", "send": "senders"}[kind]: 3})
        loop = Call(list, rx) if kind == "send" else None
        low.destroy(interp)
        assert counts(mine)[kind == "recv"] == 0
        if kind == "recv":
            try:
                tx.send(1)
            except xichan.ChannelClosed:
                pass
            else:
                raise AssertionError("sent without a receiver")
        else:
            assert "text that needs a block" in loop.result()
        del loop
        mine.close()
        wait_until(lambda: alive() == before)
        """,
        kind,
    )


def test_100_interpreters_leak_nothing():
    run_script(
        """
        import gc, xichan
        from support import alive, interpreter

        before = alive()
        for i in range(100):
            tx, rx = xichan.channel()
            results, answers = xichan.channel()
            with interpreter(rx=rx, results=results) as interp:
                tx.send((i, "text that needs a block", results))
                tx.send("is never received, and needs a block")
                interp.exec('''if True:
                    number, text, end = rx.recv()
                    end.send((number, text, rx))
                    import pickle
                    pickle.dumps(end)  # a ticket that is never claimed
                    results.send("is never received, and needs a block")
                ''')
            number, text, end = answers.recv()
            assert (number, text, end.id) == (i, "text that needs a block", rx.id)
            del tx, rx, results, answers, end
            gc.collect()
            assert alive() == before, (i, alive())
    """,
        timeout=200,
    )


def test_endpoints_travel_in_messages():
    tx, rx = xichan.channel()
    with interpreter(rx=rx) as interp:
        rx.close()
        worker = execute(
            interp,
            """
            for number, (text, reply) in rx:
                with reply:
                    reply.send((number * 2, text))
        """,
        )
        for i in range(100):
            reply, answer = xichan.channel(1)
            tx.send((i, ("text that needs a block", reply)))
            reply.close()
            assert answer.recv(60) == (i * 2, "text that needs a block")
            with pytest.raises(xichan.ChannelClosed):
                answer.recv(60)
        tx.close()
        worker.result()


def test_endpoint_in_a_message_is_always_counted():
    tx, rx = xichan.channel()
    carrier_tx, carrier_rx = xichan.channel()
    carrier_tx.send((1, (tx, rx), tx))
    assert counts(tx) == (3, 2)
    _, (second_tx, second_rx), third_tx = carrier_rx.recv()
    assert counts(tx) == (3, 2)
    assert second_tx.id == second_rx.id == third_tx.id == tx.id and second_tx is not third_tx
    carrier_tx.send(second_rx)
    rx.close()
    second_rx.close()
    assert counts(tx) == (3, 1) and not tx.closed
    carrier_rx.close()
    assert counts(tx) == (3, 0) and tx.closed


@pytest.mark.parametrize("way", ["close", "shutdown", "receive"])
def test_a_chain_of_100_000_channels_is_released_at_once(way):
    before = alive()
    tx, rx = xichan.channel(1)
    for _ in range(100_000):
        outer_tx, outer_rx = xichan.channel(1)
        outer_tx.send((tx, rx))
        tx, rx = outer_tx, outer_rx
    del outer_tx, outer_rx
    assert alive()["channels"] == before["channels"] + 100_001
    if way == "receive":
        assert len(rx.recv()) == 2
    if way == "shutdown":
        tx.shutdown(immediate=True)
    tx.close()
    rx.close()
    assert left_over(before) == {}


@pytest.mark.parametrize("queued", ["sender", "receiver", "both", "both, in a tuple"])
def test_endpoint_queued_in_its_own_channel_lives_until_shutdown(queued):
    before = alive()
    tx, rx = xichan.channel()
    for end in (tx,) * (queued != "receiver") + (rx,) * (queued != "sender"):
        tx.send((end, "x" * 20) if "tuple" in queued else end)
    number = tx.id
    if queued == "sender":
        tx.close()
        assert counts(rx) == (1, 1)
        assert rx.recv(60).id == number
    elif queued == "receiver":
        rx.close()
        assert counts(tx) == (1, 1) and not tx.closed
        tx.shutdown(immediate=True)
    else:
        tx.close()
        rx.close()
        assert left_over(before)["channels"] == 1
        xichan.Receiver.from_id(number).shutdown(immediate=True)
    del tx, rx
    assert left_over(before) == {}
