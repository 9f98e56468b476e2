"""An endpoint that fails makes the other side raise ChannelFailed, after what was sent before."""

import asyncio
import gc
import threading

import pytest
from support import FLAVORS, PATIENCE, QUEUES, Call, interpreter, run_loop, wait_for_blocked, wait_until_blocked
from support import pool_tasks as tasks

import xichan
from xichan import _failure
from xichan._remote import RemoteTraceback

MANY_SENDERS = {name: options for name, options in QUEUES.items() if options.get("flavor") != "spsc"}
EVERY_FLAVOR = pytest.mark.parametrize("options", FLAVORS.values(), ids=FLAVORS)
EVERY_QUEUE = pytest.mark.parametrize("options", QUEUES.values(), ids=QUEUES)

RECEIVE = {
    "recv": lambda rx: rx.recv(timeout=PATIENCE),
    "recv_nowait": lambda rx: rx.recv_nowait(),
    "recv_many": lambda rx: rx.recv_many(5, PATIENCE),
    "next": lambda rx: next(rx),
    "views": lambda rx: next(rx.views()),
    "select": lambda rx: xichan.select([rx], PATIENCE),
    "arecv": lambda rx: run_loop(rx.arecv()),
    "arecv_many": lambda rx: run_loop(rx.arecv_many(5)),
    "anext": lambda rx: run_loop(rx.__anext__()),
    "anext_views": lambda rx: run_loop(rx.views().__anext__()),
    "aselect": lambda rx: run_loop(xichan.aselect([rx])),
}
SEND = {
    "send": lambda tx: tx.send(1, PATIENCE),
    "send_nowait": lambda tx: tx.send_nowait(1),
    "send_many": lambda tx: tx.send_many([1, 2], PATIENCE),
    "select": lambda tx: xichan.select([(tx, 1)], PATIENCE),
    "asend": lambda tx: run_loop(tx.asend(1)),
    "asend_many": lambda tx: run_loop(tx.asend_many([1, 2])),
    "aselect": lambda tx: run_loop(xichan.aselect([(tx, 1)])),
}
BLOCKING_SENDS = [name for name in SEND if name != "send_nowait"]
BLOCKING_RECEIVES = [name for name in RECEIVE if name != "recv_nowait"]


class Broken(Exception):
    """Rebuilt by its type, which this module defines."""


def error():
    return Broken("disk full", 28)


def assert_fails(call, end, cause=None):
    cause = cause or error()
    for _ in range(2):  # the failure stays
        with pytest.raises(xichan.ChannelFailed) as caught:
            call(end)
        assert isinstance(caught.value, xichan.ChannelClosed)
        found = caught.value.__cause__
        assert (type(found), found.args) == (type(cause), cause.args)
        assert str(caught.value).startswith("the channel failed: ")


# One side fails


@EVERY_QUEUE
@pytest.mark.parametrize("call", RECEIVE.values(), ids=RECEIVE)
def test_receiver_drains_then_raises_the_error_of_the_sender(options, call):
    tx, rx = xichan.channel(**options)
    tx.send(("a", "block"))
    tx.close(error=error())
    assert not rx.closed
    assert rx.recv() == ("a", "block")
    assert rx.closed
    assert_fails(call, rx)


@EVERY_FLAVOR
@pytest.mark.parametrize("call", SEND.values(), ids=SEND)
def test_sender_raises_the_error_of_the_receiver(options, call):
    tx, rx = xichan.channel(**options)
    if options["capacity"] != 0:
        tx.send("discarded")
    rx.close(error=error())
    assert tx.closed
    assert_fails(call, tx)


@EVERY_FLAVOR
@pytest.mark.parametrize("name", BLOCKING_RECEIVES)
def test_blocked_receiver_raises_the_error_of_the_sender(options, name):
    tx, rx = xichan.channel(**options)
    call = Call(RECEIVE[name], rx)
    wait_for_blocked(tx, receivers=1)
    tx.close(error=error())
    assert_fails(lambda _: call.result(), rx)


@pytest.mark.parametrize("options", [{"capacity": 1}, {"capacity": 0}, {"capacity": 1, "flavor": "spsc"}])
@pytest.mark.parametrize("name", BLOCKING_SENDS)
def test_blocked_sender_raises_the_error_of_the_receiver(options, name):
    tx, rx = xichan.channel(**options)
    for _ in range(options["capacity"]):
        tx.send(0)
    call = Call(SEND[name], tx)
    wait_for_blocked(rx, senders=1)
    rx.close(error=error())
    assert_fails(lambda _: call.result(), tx)


def test_loop_over_a_receiver_raises_after_the_last_value():
    tx, rx = xichan.channel()
    tx.send_many(range(3))
    tx.close(error=error())
    received = []
    with pytest.raises(xichan.ChannelFailed):
        received.extend(rx)
    assert received == [0, 1, 2]


def test_async_loop_over_a_receiver_raises_after_the_last_value():
    tx, rx = xichan.channel()
    received = []

    async def consume():
        async for value in rx:
            received.append(value)

    async def run():
        task = asyncio.create_task(consume())
        await wait_until_blocked(rx, receivers=1)
        with pytest.raises(Broken):
            async with tx:
                await tx.asend(1)
                raise error()
        with pytest.raises(xichan.ChannelFailed):
            await task

    run_loop(run())
    assert received == [1]


def test_drain_returns_what_is_left_of_a_failed_stream():
    tx, rx = xichan.channel()
    tx.send(1)
    tx.close(error=error())
    assert rx.drain() == [1] and rx.drain() == []


def test_send_many_returns_the_number_sent_before_the_failure():
    tx, rx = xichan.channel(2)
    call = Call(tx.send_many, range(5))
    wait_for_blocked(rx, senders=1)
    rx.close(error=error())
    assert call.result() == 2
    assert_fails(SEND["send_many"], tx)


def test_select_sets_the_case_that_failed():
    a_tx, a = xichan.channel()
    b_tx, b = xichan.channel()
    b_tx.close(error=error())
    with pytest.raises(xichan.ChannelFailed) as caught:
        xichan.select([a, b])
    assert caught.value.case is b


# Which outcome is kept


@pytest.mark.parametrize("options", MANY_SENDERS.values(), ids=MANY_SENDERS)
def test_first_error_is_raised_when_the_last_sender_has_closed(options):
    tx, rx = xichan.channel(**options)
    second, third = tx.clone(), tx.clone()
    second.close(error=error())
    tx.send(1)
    assert rx.recv() == 1
    with pytest.raises(xichan.ChannelEmpty):
        rx.recv_nowait()
    third.close(error=ValueError("later"))
    with pytest.raises(xichan.ChannelTimeout):
        rx.recv(timeout=0.001)
    tx.send(2)
    tx.close()
    assert rx.recv() == 2
    assert_fails(RECEIVE["recv"], rx)


def test_first_error_is_raised_when_the_last_receiver_has_closed():
    tx, rx = xichan.channel()
    other = rx.clone()
    rx.close(error=error())
    tx.send(1)
    assert other.recv() == 1
    other.close()
    assert_fails(SEND["send"], tx)


def test_failing_endpoint_is_closed_at_once():
    tx, rx = xichan.channel()
    other = tx.clone()
    tx.close(error=error())
    assert rx.stats().senders == 1
    with pytest.raises(xichan.ChannelClosed, match="this Sender is closed"):
        tx.send(1)
    other.close()


def test_error_for_a_closed_endpoint_has_no_effect():
    tx, rx = xichan.channel()
    tx.close()
    tx.close(error=error())
    assert list(rx) == []


def test_error_after_a_shutdown_has_no_effect():
    tx, rx = xichan.channel()
    tx.send(1)
    rx.shutdown()
    with pytest.raises(xichan.ChannelClosed) as caught, tx:
        tx.send(2)
    assert type(caught.value) is xichan.ChannelClosed
    assert list(rx) == [1]


def test_error_of_the_sender_is_kept_by_a_later_shutdown():
    tx, rx = xichan.channel()
    other = tx.clone()
    other.close(error=error())
    tx.shutdown()
    assert_fails(RECEIVE["recv"], rx)


@EVERY_FLAVOR
@pytest.mark.parametrize("immediate", [False, True])
def test_shutdown_with_an_error_fails_both_sides(options, immediate):
    tx, rx = xichan.channel(**options)
    queued = options["capacity"] != 0
    if queued:
        tx.send("queued")
    rx.shutdown(immediate, error=error())
    for call in SEND.values():
        assert_fails(call, tx)
    if queued and not immediate:
        assert rx.recv() == "queued"
    for call in RECEIVE.values():
        assert_fails(call, rx)


@pytest.mark.parametrize("immediate", [False, True])
def test_shutdown_with_an_error_wakes_blocked_calls(immediate):
    tx, rx = xichan.channel(0)
    waiting = [Call(RECEIVE["recv"], rx.clone()) for _ in range(2)]
    wait_for_blocked(tx, receivers=2)
    tx.shutdown(immediate, error=error())
    for call in waiting:
        assert_fails(lambda _, call=call: call.result(), rx)


def test_shutdown_with_an_error_follows_one_without():
    tx, rx = xichan.channel()
    tx.send(1)
    tx.shutdown()
    rx.shutdown(immediate=True, error=error())
    assert_fails(RECEIVE["recv"], rx)
    assert_fails(SEND["send"], tx)


def test_first_error_of_two_shutdowns_is_kept():
    tx, rx = xichan.channel()
    tx.shutdown(error=error())
    tx.shutdown(error=ValueError("later"))
    assert_fails(RECEIVE["recv"], rx)


@pytest.mark.parametrize("wrong", ["text", ValueError, 0])
def test_error_must_be_an_exception(wrong):
    tx, rx = xichan.channel()
    for call in (tx.close, rx.close, tx.shutdown):
        with pytest.raises(TypeError, match=f"error must be an exception or None, got {type(wrong).__name__}"):
            call(error=wrong)
    tx.send(1)
    tx.close(error=None)
    assert list(rx) == [1]


# with


RAISED = pytest.mark.parametrize("kind", [Broken, KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])


@RAISED
def test_with_block_left_by_any_exception_fails_the_stream(kind):
    tx, rx = xichan.channel()
    with pytest.raises(kind) as caught, tx:
        tx.send("row 1")
        raise kind("disk full")
    assert caught.value.args == ("disk full",)
    assert rx.recv() == "row 1"
    assert_fails(RECEIVE["recv"], rx, kind("disk full"))


@RAISED
def test_async_with_block_left_by_any_exception_fails_the_stream(kind):
    tx, rx = xichan.channel()

    async def produce():
        async with tx:
            raise kind("disk full")

    with pytest.raises(kind):
        produce().send(None)
    assert_fails(RECEIVE["recv"], rx, kind("disk full"))


def test_with_block_of_a_receiver_fails_the_senders():
    tx, rx = xichan.channel()
    with pytest.raises(Broken), rx:
        raise error()
    assert_fails(SEND["send"], tx)


def test_closed_generator_fails_the_stream():
    tx, rx = xichan.channel()

    def rows():
        with tx:
            yield 1

    generator = rows()
    next(generator)
    generator.close()
    assert_fails(RECEIVE["recv"], rx, GeneratorExit())


def test_with_block_keeps_the_exception_of_its_own_endpoint():
    tx, rx = xichan.channel()
    rx.close()
    with pytest.raises(xichan.ChannelClosed, match="all Receivers are closed") as caught, tx:
        tx.send(1)
    assert caught.value.__context__ is None


def test_with_block_left_regularly_ends_the_stream():
    tx, rx = xichan.channel()
    with tx:
        tx.send(1)
    assert list(rx) == [1]


def test_dropped_endpoint_ends_the_stream():
    tx, rx = xichan.channel()
    tx.send(1)
    del tx
    gc.collect()
    assert list(rx) == [1]


def test_failure_travels_through_the_stages_of_a_pipeline():
    a_tx, a = xichan.channel()
    b_tx, b = xichan.channel()

    def stage():
        with a, b_tx:
            for value in a:
                b_tx.send(value)

    call = Call(stage)
    a_tx.send(1)
    a_tx.close(error=error())
    with pytest.raises(xichan.ChannelFailed):
        call.result()
    assert b.recv() == 1
    with pytest.raises(xichan.ChannelFailed) as caught:
        b.recv()
    stage_failed = caught.value.__cause__
    assert type(stage_failed) is xichan.ChannelFailed
    assert (type(stage_failed.__cause__), stage_failed.__cause__.args) == (Broken, error().args)


def test_failure_of_a_select_travels_on():
    a_tx, a = xichan.channel()
    b_tx, b = xichan.channel()
    a_tx.close(error=error())
    with pytest.raises(xichan.ChannelFailed), b_tx:
        xichan.select([a])
    with pytest.raises(xichan.ChannelFailed) as caught:
        b.recv()
    assert type(caught.value.__cause__) is xichan.ChannelFailed
    assert type(caught.value.__cause__.__cause__) is Broken


# The exception


def cause_of(rx):
    with pytest.raises(xichan.ChannelFailed) as caught:
        rx.recv()
    return caught.value.__cause__


def failed_with(raised):
    tx, rx = xichan.channel()
    tx.close(error=raised)
    return cause_of(rx)


def test_notes_attributes_and_causes_arrive():
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise error() from inner
    except Broken as raised:
        raised.add_note("while it wrote row 2")
        raised.row = 2
        found = failed_with(raised)
    assert found.__notes__ == ["while it wrote row 2"] and found.row == 2
    assert (type(found.__cause__), found.__cause__.args) == (KeyError, ("inner",))
    remote = found.__cause__.__cause__
    assert type(remote) is RemoteTraceback
    assert "test_notes_attributes_and_causes_arrive" in str(remote) and "Broken" in str(remote)


def test_exception_that_is_not_made_from_its_arguments_arrives():
    class_ = tasks.NeedsPlace
    raised = class_(3, place=["here"])
    found = failed_with(raised)
    assert type(found) is class_ and found.args == raised.args and found.place == ["here"]
    try:
        tasks.raise_with_parts()
    except class_ as error:
        tasks.assert_has_parts(failed_with(error), 3)


def test_exception_whose_cause_is_not_shareable_is_pickled():
    raised = error()
    raised.__cause__ = KeyError(len)
    found = failed_with(raised)
    assert type(found) is Broken and found.__cause__.args == (len,)
    assert type(found.__cause__.__cause__) is RemoteTraceback


def test_cycle_of_causes_is_cut():
    one, other = error(), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    found = failed_with(one)
    assert type(found) is Broken and type(found.__cause__) is ValueError
    one.__cause__ = other.__cause__ = None


def test_receivers_get_exceptions_of_their_own():
    tx, rx = xichan.channel()
    tx.close(error=error())
    one, other = cause_of(rx), cause_of(rx)
    assert one is not other


def unpicklable():
    return Broken("with a lock", threading.Lock())


def endpoint_in_arguments():
    return Broken("with an endpoint", xichan.channel()[0])


def local_class():
    class Local(Exception):
        pass

    return Local("of a local class")


def evil_str():
    class Evil(Exception):
        def __str__(self):
            raise SystemExit

        def __reduce__(self):
            raise SystemExit

    return Evil("evil")


def needs_arguments():
    class_ = NeedsArguments
    return class_(1, 2)


class NeedsArguments(Exception):
    def __init__(self, one, other):
        super().__init__(f"needs {one} and {other}")
        self.function = len  # not shareable, so that it is pickled


@pytest.mark.parametrize("make", [unpicklable, endpoint_in_arguments, local_class, evil_str, needs_arguments])
def test_exception_that_cannot_be_carried_arrives_as_remote_error(make):
    raised = make()
    found = failed_with(raised)
    assert type(found) is xichan.RemoteError
    assert found.type_name.endswith(type(raised).__qualname__)
    assert found.message
    assert type(raised).__qualname__ in found.traceback


def test_error_that_holds_its_own_sender_does_not_keep_the_channel_open():
    tx, rx = xichan.channel()
    raised = Broken(tx)
    tx.close(error=raised)
    assert type(cause_of(rx)) is xichan.RemoteError
    raised.args = ()


@pytest.mark.parametrize("limit", [0, 200, 500, 2000])
def test_failure_survives_the_memory_limit(limit):
    tx, rx = xichan.channel()
    xichan.set_memory_limit(limit)
    with pytest.raises(Broken), tx:
        raise Broken("x" * 5000)
    xichan.set_memory_limit(None)
    found = cause_of(rx)
    assert type(found) in (Broken, xichan.RemoteError)
    if limit >= 2000:
        assert found.type_name.endswith("Broken") and found.message.startswith("xxx")


@pytest.mark.parametrize("allocations", range(4))
def test_failure_survives_failing_allocations(allocations):
    tx, rx = xichan.channel()
    xichan._core._fail_after(allocations)
    tx.close(error=Broken("disk full"))
    xichan._core._fail_after(-1)
    assert type(cause_of(rx)) in (Broken, xichan.RemoteError)


def test_describing_an_exception_may_use_the_endpoint():
    tx, rx = xichan.channel()

    class Sends(Exception):
        def __str__(self):
            tx.close()
            return "closed it"

    tx.send(1)
    tx.close(error=Sends())
    assert list(rx) == [1]


def test_rebuilding_an_exception_may_close_the_endpoint():
    tx, rx = xichan.channel()
    ends = [rx]
    Closes.ends = ends
    tx.close(error=Closes("closing", len))  # a function is not shareable, so that it is pickled
    with pytest.raises(xichan.ChannelFailed) as caught:
        rx.recv()
    assert type(caught.value.__cause__) is Closes
    with pytest.raises(xichan.ChannelClosed, match="this Receiver is closed"):
        rx.recv()


class Closes(Exception):
    ends = ()

    def __setstate__(self, state):
        for end in self.ends:
            end.close()

    def __reduce__(self):
        return Closes, self.args, {"any": "state"}


def test_channel_that_failed_is_freed_with_its_error():
    tx, rx = xichan.channel()
    tx.close(error=Broken("x" * 1000))
    rx.close()  # conftest finds nothing left behind


def test_error_of_a_cpp_program_arrives_as_remote_error():
    for value in ("disk full", 28, ("a", "tuple")):
        failed = _failure.channel_failed(value)
        assert type(failed.__cause__) is xichan.RemoteError
        assert failed.__cause__.message == str(value)
        assert str(failed) == f"the channel failed: C++ error: {value}"


def test_description_starts_with_type_name_message_and_traceback():
    name, message, traceback, _ = _failure.describe(OSError("disk full"))
    assert (name, message, traceback) == ("OSError", "disk full", "OSError: disk full\n")
    assert xichan.is_shareable(_failure.describe(unpicklable()))


# Interpreters


def test_failure_crosses_interpreters():
    tx, rx = xichan.channel()
    with interpreter(tx=tx) as interp:
        tx.close()
        with pytest.raises(Exception, match="disk full"):
            interp.exec("with tx:\n    tx.send('row 1')\n    raise OSError(28, 'disk full')")
    assert rx.recv() == "row 1"  # the interpreter has ended
    found = cause_of(rx)
    assert (type(found), found.args) == (OSError, (28, "disk full"))
    assert "disk full" in str(found.__cause__)


def test_type_that_cannot_be_imported_arrives_as_remote_error():
    tx, rx = xichan.channel()
    with interpreter(tx=tx) as interp:
        tx.close()
        interp.exec("class Own(Exception): pass\ntx.close(error=Own('not importable'))")
    found = cause_of(rx)
    assert type(found) is xichan.RemoteError
    assert (found.type_name, found.message) == ("__main__.Own", "not importable")


def test_end_of_an_interpreter_ends_the_stream_regularly():
    tx, rx = xichan.channel()
    with interpreter(tx=tx) as interp:
        tx.close()
        interp.exec("tx.send(1)")
    assert list(rx) == [1]


def test_failure_reaches_other_interpreters_that_wait():
    tx, rx = xichan.channel()
    done_tx, done = xichan.channel()
    with interpreter(rx=rx, done=done_tx) as interp:
        code = """
import xichan
try:
    rx.recv()
except xichan.ChannelFailed as error:
    done.send((type(error.__cause__).__name__, str(error.__cause__)))
"""
        call = Call(interp.exec, code)
        wait_for_blocked(tx, receivers=1)
        tx.close(error=ValueError("bad row"))
        assert done.recv(PATIENCE) == ("ValueError", "bad row")
        call.result()


# Races


@pytest.mark.parametrize("options", [{"capacity": 3}, {"capacity": None}, {"capacity": 3, "flavor": "relaxed"}])
def test_no_receiver_sees_a_regular_end_when_senders_fail(options):
    for _ in range(150):
        tx, rx = xichan.channel(**options)
        ends = [rx, rx.clone(), rx.clone()]
        received = [[], [], []]

        def consume(end, into):
            for value in end:
                into.append(value)

        def produce(end, number):
            with end:
                end.send(number)
                raise Broken(number)

        readers = [Call(consume, *pair) for pair in zip(ends, received)]
        writers = [Call(produce, end, n) for n, end in enumerate([tx, tx.clone(), tx.clone()])]
        for call in writers:
            with pytest.raises(Broken):
                call.result()
        causes = set()
        for call in readers:
            with pytest.raises(xichan.ChannelFailed) as caught:
                call.result()
            causes.add(caught.value.__cause__.args)
        assert len(causes) == 1  # the first error, the same for all
        assert sorted(sum(received, [])) == [0, 1, 2]
        del tx, rx, ends, readers, writers, caught
