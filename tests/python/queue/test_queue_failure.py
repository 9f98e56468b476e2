"""Queue.shutdown(error=): the calls of a queue raise ShutDown with a cause."""

import queue

import pytest

import xichan


@pytest.mark.parametrize("maxsize", [0, 3])
@pytest.mark.parametrize("pickle", [False, True])
def test_shutdown_with_an_error_is_the_cause_of_shut_down(maxsize, pickle):
    q = xichan.Queue(maxsize, pickle=pickle)
    q.put("queued")
    q.shutdown(error=OSError("disk full"))
    assert q.get() == "queued"
    for call in (q.get, q.get_nowait, lambda: q.get(timeout=1), lambda: q.put(1), lambda: q.put_nowait(1)):
        with pytest.raises(queue.ShutDown) as caught:
            call()
        assert isinstance(caught.value, xichan.ChannelFailed)
        assert type(caught.value.__cause__) is OSError and caught.value.__cause__.args == ("disk full",)
    assert q.is_shutdown


def test_immediate_shutdown_with_an_error_ends_join():
    q = xichan.Queue()
    q.put(1)
    q.shutdown(immediate=True, error=OSError("disk full"))
    q.join()
    assert q.unfinished_tasks == 0
    q.shutdown(immediate=True)
    with pytest.raises(xichan.ChannelFailed):
        q.get()


def test_shutdown_without_an_error_has_no_cause():
    q = xichan.Queue()
    q.shutdown()
    with pytest.raises(queue.ShutDown) as caught:
        q.get()
    assert caught.value.__cause__ is None and not isinstance(caught.value, xichan.ChannelFailed)
