"""The rules of docs/reference/channel-semantics.md and channel-features.md, for local channels and for remote ones.

A test has the numbers of its rules in its name. Rules that differ for remote channels are listed in
docs/reference/nats-differences.md; test_differences.py tests them. test_every_rule_is_tested checks that each rule is
in one of the two places.
"""

import gc
import itertools
import re
import weakref
from pathlib import Path

import pytest
from support import Call, rich, run_loop, same, wait_for_sleep, wait_until
from support.programs import interrupt_program

import xichan

ROOT = Path(__file__).resolve().parents[3]
NUMBERS = itertools.count()
COUNT = 300  # values of a test with traffic


class Local:
    """Makes local channels."""

    notices_soon = {}

    def channel(self, capacity=1000, **options):
        return xichan.channel(capacity, **options)

    def another(self, end):
        """Open another endpoint of the same side."""
        return end.clone()

    def source(self):
        """Return the lines of a program that make `tx` and `rx`."""
        return "tx, rx = xichan.channel()"


class Remote:
    """Makes remote channels of one hub, and deletes them."""

    # Options of a channel whose end is noticed soon if its last Sender was not closed: Receivers count none for as long
    # as a lease lasts, 10 seconds by default, and longer.
    notices_soon = {"sender_timeout": 2.0}

    def __init__(self, url, hub):
        self.hub_url, self.hub, self.names = url, hub, []

    def channel(self, capacity=1000, **options):
        self.names.append(f"rules-{next(NUMBERS)}")
        return self.hub.channel(self.names[-1], capacity, **options)

    def another(self, end):
        return (self.hub.sender if isinstance(end, xichan.nats.Sender) else self.hub.receiver)(end.name)

    def source(self):
        self.names.append(f"rules-{next(NUMBERS)}")
        return f"""import xichan.nats
hub = xichan.nats.connect({self.hub_url!r})
tx, rx = hub.channel({self.names[-1]!r})"""

    def delete(self):
        for name in self.names:
            self.hub.delete(name)


@pytest.fixture(params=["local", "remote"])
def kind(request):
    """What makes channels of one kind. The tests do not know which."""
    if request.param == "local":
        yield Local()
        return
    remote = Remote(request.getfixturevalue("server").url, request.getfixturevalue("hub"))
    yield remote
    remote.delete()


def asleep(function, *args, **kwargs):
    """Start a call in a thread and return it when the thread sleeps."""
    call = Call(function, *args, **kwargs)
    wait_until(lambda: call.native_id)
    wait_for_sleep(call.native_id)
    assert call.is_alive()
    return call


# Creation


def test_rule_1_capacity_is_exact(kind):
    tx, rx = kind.channel(3)
    assert tx.capacity == rx.capacity == 3
    for i in range(3):
        tx.send_nowait(i)
    with pytest.raises(xichan.ChannelFull):
        tx.send_nowait(3)
    assert len(rx) == 3 and [rx.recv() for _ in range(3)] == [0, 1, 2]


def test_rule_1_none_is_unbounded(kind):
    tx, rx = kind.channel(None)
    assert tx.capacity is None
    assert tx.send_many(range(3000)) == 3000


@pytest.mark.parametrize("capacity, error", [(-1, ValueError), (True, TypeError), ("3", TypeError), (1.5, TypeError)])
def test_rule_1_invalid_capacities_are_rejected(kind, capacity, error):
    with pytest.raises(error):
        kind.channel(capacity)


def test_rule_2_a_channel_has_any_number_of_endpoints(kind):
    tx, rx = kind.channel()
    senders, receivers = [tx, kind.another(tx), kind.another(tx)], [rx, kind.another(rx)]
    sending = [Call(lambda i=i, one=one: [one.send((i, n)) for n in range(COUNT)]) for i, one in enumerate(senders)]
    receiving = [Call(list, one) for one in receivers]
    for call, end in zip(sending, senders):
        call.result()
        end.close()
    got = [value for call in receiving for value in call.result()]
    assert sorted(got) == [(i, n) for i in range(3) for n in range(COUNT)]


def test_rule_3_endpoints_are_equal_to_themselves_truthy_and_weakly_referenced(kind):
    tx, rx = kind.channel()
    other = kind.another(tx)
    assert tx == tx and tx != other and tx != rx and len({tx, other, rx}) == 3
    assert tx and rx and len(tx) == len(rx) == 0
    tx.send(1)
    assert len(tx) == len(rx) == 1
    reference = weakref.ref(other)
    del other
    gc.collect()
    assert reference() is None


# Values


def test_rules_4_and_5_values_arrive_bit_for_bit(kind):
    tx, rx = kind.channel()
    for value in rich():
        tx.send(value)
        assert same(rx.recv(), value)
    tx.send(rich())
    assert same(rx.recv(), rich())


def test_rules_4_and_5_containers_arrive_with_their_types_and_identity(kind):
    tx, rx = kind.channel()
    shared = [1, 2]
    value = {"b": shared, "a": shared, 3: {4}, (5,): frozenset([6]), None: bytearray(b"7")}
    tx.send(value)
    got = rx.recv()
    assert repr(got) == repr(value) and list(got) == list(value)
    assert got["a"] is got["b"] and got["a"] is not shared


def test_rule_6_value_that_is_not_shareable_is_refused_with_its_path(kind):
    tx, rx = kind.channel()
    with pytest.raises(xichan.NotShareableError) as caught:
        tx.send((1, {"two": [print]}))
    assert caught.value.path == "value[1]['two'][0]" and caught.value.item is print
    assert len(rx) == 0
    with pytest.raises(xichan.ChannelEmpty):
        rx.recv_nowait()


def test_rule_7_registered_encoder_runs_before_the_value_is_read(kind):
    tx, rx = kind.channel()
    xichan.register(Growing, Growing.encode, Growing)
    value = []
    value.append(Growing(value))
    tx.send(value)
    assert rx.recv()[1:] == ["grown"]


class Growing:
    """Adds an item to the list that contains it when it is encoded."""

    def __init__(self, parent):
        self.parent = parent

    def encode(self):
        if len(self.parent) == 1:
            self.parent.append("grown")


# Sending and receiving


def test_rule_9_values_are_received_in_order_and_once(kind):
    tx, rx = kind.channel()
    sending = Call(lambda: [tx.send(i) for i in range(COUNT)])
    assert [rx.recv() for _ in range(COUNT)] == list(range(COUNT))
    sending.result()
    with pytest.raises(xichan.ChannelEmpty):
        rx.recv_nowait()


def test_rule_10_recv_blocks_while_the_channel_is_empty(kind):
    tx, rx = kind.channel()
    call = asleep(rx.recv)
    tx.send("late")
    assert call.result() == "late"


def test_rule_10_send_blocks_while_the_channel_is_full(kind):
    tx, rx = kind.channel(1)
    tx.send(1)
    call = asleep(tx.send, 2)
    assert rx.recv() == 1
    call.result()
    assert rx.recv() == 2


def test_rule_11_calls_raise_when_their_time_is_up(kind):
    tx, rx = kind.channel(1)
    for timeout in (0, 0.05):
        with pytest.raises(xichan.ChannelTimeout):
            rx.recv(timeout=timeout)
    tx.send(1, timeout=30)
    for timeout in (0, 0.05):
        with pytest.raises(TimeoutError):
            tx.send(2, timeout=timeout)
    assert rx.recv(timeout=30) == 1
    with pytest.raises(xichan.ChannelEmpty):
        rx.recv_nowait()


@pytest.mark.parametrize("timeout, error", [(-1, ValueError), (float("nan"), ValueError), (True, TypeError)])
def test_rule_11_invalid_timeouts_are_rejected(kind, timeout, error):
    tx, rx = kind.channel()
    with pytest.raises(error):
        tx.send(1, timeout=timeout)
    with pytest.raises(error):
        rx.recv(timeout=timeout)
    assert len(rx) == 0


def test_rule_12_nowait_calls_raise_full_and_empty(kind):
    tx, rx = kind.channel(1)
    with pytest.raises(xichan.ChannelEmpty):
        rx.recv_nowait()
    tx.send_nowait("one")
    with pytest.raises(xichan.ChannelFull):
        tx.send_nowait("two")
    assert rx.recv_nowait() == "one"


def test_rule_14_all_waiting_receivers_are_served(kind):
    tx, rx = kind.channel()
    calls = [asleep(end.recv) for end in (rx, kind.another(rx), kind.another(rx))]
    tx.send_many(range(3))
    assert sorted(call.result() for call in calls) == [0, 1, 2]


def test_rule_15_loop_ends_when_the_channel_is_finished(kind):
    tx, rx = kind.channel()
    tx.send_many("abc")
    tx.close()
    assert list(rx) == ["a", "b", "c"]
    assert list(rx) == []


# Endpoints and closing


def test_rules_16_and_17_receivers_get_what_is_queued_and_then_closed(kind):
    tx, rx = kind.channel()
    other = kind.another(tx)
    tx.send(1)
    tx.close()
    other.send(2)
    other.close()
    assert [rx.recv(), rx.recv()] == [1, 2]
    with pytest.raises(xichan.ChannelClosed):
        rx.recv()
    with pytest.raises(xichan.ChannelClosed):
        rx.recv_nowait()
    assert rx.closed


def test_rule_17_last_close_wakes_receivers(kind):
    tx, rx = kind.channel()
    calls = [asleep(rx.recv), asleep(kind.another(rx).recv)]
    tx.close()
    for call in calls:
        with pytest.raises(xichan.ChannelClosed):
            call.result()


def test_rule_19_clones_are_closed_separately(kind):
    tx, rx = kind.channel()
    other = kind.another(rx)
    rx.close()
    tx.send(1)
    assert other.recv() == 1


def test_rule_20_close_wakes_calls_on_this_endpoint_only(kind):
    tx, rx = kind.channel()
    other = kind.another(rx)
    closed, unaffected = asleep(rx.recv), asleep(other.recv)
    rx.close()
    rx.close()
    with pytest.raises(xichan.ChannelClosed):
        closed.result()
    tx.send("still open")
    assert unaffected.result() == "still open"
    for call in (rx.recv, rx.recv_nowait, lambda: list(rx)):
        with pytest.raises(xichan.ChannelClosed):
            call()


def test_rule_20_with_closes(kind):
    tx, rx = kind.channel()
    with tx as entered, rx:
        assert entered is tx
        tx.send(1)
    assert tx.closed and rx.closed
    with pytest.raises(xichan.ChannelClosed):
        tx.send(2)


def test_rule_21_send_that_races_the_close_of_its_endpoint_is_received_if_it_succeeded(kind):
    for _ in range(20):
        tx, rx = kind.channel()
        call = Call(tx.send, "value")
        tx.close()
        try:
            call.result()
            expected = ["value"]
        except xichan.ChannelClosed:
            expected = []
        assert list(rx) == expected


# Shutdown


def test_rule_23_shutdown_refuses_sends_and_leaves_what_is_queued(kind):
    tx, rx = kind.channel()
    tx.send("queued")
    rx.shutdown()
    with pytest.raises(xichan.ChannelClosed, match="shut down"):
        tx.send("late")
    with pytest.raises(xichan.ChannelClosed):
        tx.send_nowait("late")
    assert list(rx) == ["queued"]


@pytest.mark.parametrize("side", ["tx", "rx"])
def test_rule_23_shutdown_wakes_blocked_calls(kind, side):
    tx, rx = kind.channel(1)
    receiving = asleep(rx.recv)
    (tx if side == "tx" else rx).shutdown()
    with pytest.raises(xichan.ChannelClosed):
        receiving.result()
    tx, rx = kind.channel(1)
    tx.send(1)
    sending = asleep(tx.send, 2)
    (tx if side == "tx" else rx).shutdown()
    with pytest.raises(xichan.ChannelClosed):
        sending.result()
    assert list(rx) == [1]


def test_rule_24_immediate_shutdown_discards(kind):
    tx, rx = kind.channel()
    tx.send_many(range(10))
    rx.shutdown(immediate=True)
    assert list(rx) == []
    tx.shutdown(), rx.shutdown(immediate=True)  # no effect


def test_rule_25_send_that_races_a_shutdown_is_accepted_or_raises(kind):
    for _ in range(10):
        tx, rx = kind.channel()
        accepted = []

        def send(tx=tx, accepted=accepted):
            for i in itertools.count():
                tx.send(i)
                accepted.append(i)

        call = Call(send)
        wait_until(lambda accepted=accepted: accepted)
        rx.shutdown()
        with pytest.raises(xichan.ChannelClosed):
            call.result()
        assert list(rx) == accepted


def test_rule_26_closed(kind):
    tx, rx = kind.channel()
    assert not tx.closed and not rx.closed
    tx.send(1)
    tx.shutdown()
    assert tx.closed and rx.closed and rx.recv() == 1
    tx, rx = kind.channel()
    tx.send(1)
    tx.close()
    assert tx.closed and not rx.closed
    assert rx.recv() == 1
    wait_until(lambda: rx.closed)


# Batches


def test_rule_39_send_many_returns_how_many_were_sent(kind):
    tx, rx = kind.channel(4)
    assert tx.send_many("abcdef", timeout=0.05) == 4
    with pytest.raises(xichan.ChannelTimeout):
        tx.send_many("x", timeout=0.05)
    assert tx.send_many([]) == 0
    assert rx.recv_many(10) == ["a", "b", "c", "d"]


def test_rule_39_values_before_one_that_is_refused_are_sent(kind):
    tx, rx = kind.channel()
    with pytest.raises(xichan.NotShareableError) as caught:
        tx.send_many([1, 2, print, 3])
    assert caught.value.sent == 2 and caught.value.item is print
    assert rx.recv_many(10) == [1, 2]


def test_rule_39_long_iterables_are_sent_completely_and_in_order(kind):
    tx, rx = kind.channel(100)
    call = Call(tx.send_many, (i for i in range(2000)))
    got = [rx.recv() for _ in range(2000)]
    assert got == list(range(2000)) and call.result() == 2000


def test_rule_40_recv_many_waits_for_one_value(kind):
    tx, rx = kind.channel()
    call = asleep(rx.recv_many, 10)
    tx.send(1)
    assert call.result() == [1]
    with pytest.raises(xichan.ChannelTimeout):
        rx.recv_many(10, timeout=0.05)
    tx.send_many(range(5))
    assert rx.recv_many(3) == [0, 1, 2]


def test_rule_40_drain_takes_what_is_queued(kind):
    tx, rx = kind.channel()
    assert rx.drain() == []
    tx.send_many(range(500))
    assert rx.drain() == list(range(500)) and rx.drain() == []


# Event loops


def test_rule_42_coroutines_send_and_receive(kind):
    import asyncio

    tx, rx = kind.channel(10)

    async def produce():
        for i in range(100):
            await tx.asend(i)
        tx.close()

    async def main():
        producing = asyncio.create_task(produce())
        got = [value async for value in rx]
        await producing
        return got

    assert run_loop(main()) == list(range(100))


def test_rule_42_cancelled_receive_has_received_nothing(kind):
    import asyncio

    tx, rx = kind.channel()

    async def main():
        for _ in range(5):
            waiting = asyncio.create_task(rx.arecv())
            await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        tx.send_many(range(3))
        return [await rx.arecv() for _ in range(3)]

    assert run_loop(main()) == [0, 1, 2]


# Failure


def test_rule_48_error_of_the_last_sender_reaches_receivers_after_the_values(kind):
    tx, rx = kind.channel()
    tx.send("row 1")
    tx.close(error=OSError("disk full"))
    assert rx.recv() == "row 1"
    for call in (rx.recv, rx.recv_nowait, lambda: list(rx)):
        with pytest.raises(xichan.ChannelFailed, match="OSError: disk full") as caught:
            call()
        assert type(caught.value.__cause__) is OSError and caught.value.__cause__.args == ("disk full",)


def test_rule_48_exception_in_a_with_block_fails_the_channel(kind):
    tx, rx = kind.channel()
    with pytest.raises(ZeroDivisionError), tx:
        tx.send(1)
        1 / 0  # noqa: B018
    got = []
    with pytest.raises(xichan.ChannelFailed):
        for value in rx:
            got.append(value)
    assert got == [1]


@pytest.mark.parametrize("immediate", [False, True])
def test_rule_50_shutdown_with_an_error_fails_both_sides(kind, immediate):
    tx, rx = kind.channel()
    tx.send(1)
    rx.shutdown(error=ValueError("broken"), immediate=immediate)
    with pytest.raises(xichan.ChannelFailed, match="broken"):
        tx.send(2)
    if not immediate:
        assert rx.recv() == 1
    with pytest.raises(xichan.ChannelFailed, match="broken"):
        rx.recv()
    rx.shutdown(error=ValueError("later"), immediate=immediate)
    with pytest.raises(xichan.ChannelFailed, match="broken"):
        rx.recv()


def test_rule_51_cause_has_notes_attributes_and_the_traceback(kind):
    tx, rx = kind.channel()
    error = OSError(28, "No space left", "/disk")
    error.add_note("while writing")
    tx.close(error=error)
    with pytest.raises(xichan.ChannelFailed) as caught:
        rx.recv()
    cause = caught.value.__cause__
    assert cause.errno == 28 and cause.filename == "/disk" and cause.__notes__[0] == "while writing"


def test_rule_51_error_that_cannot_be_rebuilt_is_a_remote_error(kind):
    tx, rx = kind.channel()

    class Local(Exception):
        pass

    tx.close(error=Local("only here"))
    with pytest.raises(xichan.ChannelFailed, match="only here") as caught:
        rx.recv()
    assert isinstance(caught.value.__cause__, xichan.RemoteError)


def test_rule_52_dropped_sender_closes_without_an_error(kind):
    tx, rx = kind.channel(**kind.notices_soon)
    tx.send(1)
    del tx
    gc.collect()
    assert list(rx) == [1]


def test_rule_53_wait_closed(kind):
    tx, rx = kind.channel()
    for end in (tx, rx):
        with pytest.raises(xichan.ChannelTimeout):
            end.wait_closed(0.05)
    calls = [asleep(tx.wait_closed), asleep(rx.wait_closed), asleep(lambda: run_loop(rx.await_closed()))]
    rx.shutdown()
    for call in calls:
        call.result()
    tx.wait_closed()
    tx.close()
    with pytest.raises(xichan.ChannelClosed):
        tx.wait_closed()


# The process


SIGNALED = """
import sys, xichan
{make}
print("begun", flush=True)
try:
    rx.recv()
except KeyboardInterrupt:
    tx.send("after")
    assert rx.recv() == "after"
    sys.exit(3)
"""


def test_rule_33_ctrl_c_interrupts_a_blocked_receive(kind, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(SIGNALED.format(make=kind.source()))
    status, (_, errors) = interrupt_program(program)
    assert status == 3, errors


# The documentation


def rules_of_tests(names):
    """Return the numbers of the rules in the names of tests."""
    return {
        int(number)
        for name in names
        for number in re.findall(r"\d+", re.match(r"(?:test_rules?_([\d_and]+)_)?", name)[1] or "")
    }


def test_every_rule_is_tested():
    """Each rule has a test here, or is one of the differences, not both unless it has parts of both."""
    import test_differences

    reference = ROOT / "docs" / "reference"
    pages = [(reference / page).read_text() for page in ("channel-semantics.md", "channel-features.md")]
    rules = {int(number) for page in pages for number in re.findall(r"^(\d+)\. ", page, re.M)}
    table = re.findall(r"^\| (\d+) \|", (reference / "nats-differences.md").read_text(), re.M)
    assert rules == set(range(1, 59))
    assert [int(number) for number in table] == sorted({int(number) for number in table})
    differences = {int(number) for number in table}
    assert differences | rules_of_tests(globals()) == rules
    assert differences - rules_of_tests(vars(test_differences)) == set()
