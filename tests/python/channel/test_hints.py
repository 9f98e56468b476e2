"""Errors that name the right attribute, parameter or function for the names of other libraries."""

import dis
import pickle
import queue
import traceback

import pytest

import xichan

SENDER = {
    "put": "use send()",
    "put_nowait": "use send_nowait()",
    "try_send": "use send_nowait()",
    "get": "receive from the Receiver",
    "get_nowait": "receive from the Receiver",
    "recv": "receive from the Receiver",
    "receive": "receive from the Receiver",
    "poll": "receive from the Receiver",
    "qsize": "use len()",
    "empty": "use len()",
    "full": "compare len() with capacity",
    "maxsize": "use capacity",
    "aclose": "use close()",
    "statistics": "use stats()",
    "task_done": "xichan.Queue counts tasks",
    "join": "xichan.Queue counts tasks",
}
RECEIVER = {
    **SENDER,
    "put": "send with the Sender",
    "put_nowait": "send with the Sender",
    "send": "send with the Sender",
    "send_nowait": "send with the Sender",
    "try_send": "send with the Sender",
    "get": "use recv()",
    "get_nowait": "use recv_nowait()",
    "recv": None,
    "receive": "use recv()",
    "receive_nowait": "use recv_nowait()",
    "try_recv": "use recv_nowait()",
    "poll": "ChannelTimeout",
}


@pytest.mark.parametrize(
    "side, name, hint",
    [(side, name, hint) for side, names in enumerate((SENDER, RECEIVER)) for name, hint in names.items() if hint],
)
def test_missing_attribute_names_the_right_one(side, name, hint):
    end = xichan.channel()[side]
    with pytest.raises(AttributeError) as caught:
        getattr(end, name)
    start = f"'xichan.{type(end).__name__}' object has no attribute '{name}'; "
    assert str(caught.value).startswith(start) and hint in str(caught.value)
    assert caught.value.name == name and caught.value.obj is end
    assert not hasattr(end, name) and not hasattr(type(end), name) and name not in dir(end)
    assert getattr(end, name, None) is None


def test_every_public_name_of_queue_is_found_or_hinted():
    for end in xichan.channel():
        for name in dir(queue.Queue()):
            if name.startswith("_") or name in ("all_tasks_done", "mutex", "not_empty", "not_full", "queue"):
                continue
            if name not in ("shutdown", "is_shutdown", "unfinished_tasks"):
                with pytest.raises(AttributeError, match=";"):
                    getattr(end, name)


def test_other_missing_attributes_raise_as_usual():
    for end in xichan.channel():
        with pytest.raises(AttributeError, match=f"^'xichan.{type(end).__name__}' object has no attribute 'nothing'$"):
            end.nothing  # noqa: B018
        with pytest.raises(AttributeError) as caught:
            end.close_  # noqa: B018
        assert "close" in "".join(traceback.format_exception(caught.value)).partition("Did you mean")[2]
        with pytest.raises((AttributeError, TypeError)):
            end.put = 1
    for wrong in (1, None, b"put"):
        with pytest.raises(TypeError):
            xichan.channel()[0].__getattr__(wrong)


def test_method_calls_on_endpoints_are_specialized():
    """__getattr__ must not keep CPython from specializing the lookup of send and recv."""

    def trip(tx, rx):
        tx.send(1)
        return rx.recv()

    for _ in range(1000):
        trip(*PAIR)
    names = [instruction.opname for instruction in dis.get_instructions(trip, adaptive=True)]
    assert [name for name in names if name.startswith("LOAD_ATTR")] == ["LOAD_ATTR_METHOD_NO_DICT"] * 2


PAIR = xichan.channel()


def test_endpoint_type_is_immutable():
    for kind in (xichan.Sender, xichan.Receiver, xichan._core._End):
        with pytest.raises(TypeError, match="immutable"):
            kind.put = 1


@pytest.mark.parametrize(
    "make, hint",
    [
        (lambda: xichan.Sender(), "call xichan.channel()"),
        (lambda: xichan.Receiver(1), "call xichan.channel()"),
        (lambda: xichan.TupleView((1, 2)), "receive one with copy=False"),
        (lambda: xichan.BytesView(b"x"), "receive one with copy=False"),
        (lambda: xichan.StrView("x"), "receive one with copy=False"),
        (lambda: xichan.Shared(1), "call xichan.share(value)"),
    ],
)
def test_types_without_constructor_name_the_function_to_call(make, hint):
    with pytest.raises(TypeError) as caught:
        make()
    assert str(caught.value).startswith("cannot create 'xichan.") and hint in str(caught.value)


def test_types_without_constructor_cannot_be_made_otherwise():
    for kind, base in (
        (xichan.Sender, xichan._core._End),
        (xichan.Receiver, object),
        (xichan.StrView, str),
        (xichan.TupleView, object),
    ):
        with pytest.raises(TypeError):
            base.__new__(kind)
        with pytest.raises((TypeError, pickle.PicklingError)):
            kind.__new__(kind)


@pytest.mark.parametrize(
    "call, hint",
    [
        (lambda tx, rx: xichan.channel(maxsize=1), "use 'capacity'"),
        (lambda tx, rx: xichan.channel(max_size=1), "use 'capacity'"),
        (lambda tx, rx: xichan.channel(maxlen=1), "use 'capacity'"),
        (lambda tx, rx: xichan.channel(max_buffer_size=1), "use 'capacity'"),
        (lambda tx, rx: tx.send(1, block=False), "call send_nowait()"),
        (lambda tx, rx: rx.recv(block=False), "call recv_nowait()"),
        (lambda tx, rx: rx.recv_nowait(timeout=1), "call recv()"),
        (lambda tx, rx: rx.recv_many(n=1), "use 'max_items'"),
    ],
)
def test_unexpected_keyword_names_the_right_one(call, hint):
    with pytest.raises(TypeError, match=r"got an unexpected keyword argument '\w+'; ") as caught:
        call(*xichan.channel())
    assert hint in str(caught.value)
    with pytest.raises(TypeError, match="got an unexpected keyword argument 'other'$"):
        xichan.channel(other=1)
