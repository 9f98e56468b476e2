"""xichan.Workers: failures of workers, which ready() and the end of the block raise."""

import sys
import time

import pytest
from support import PATIENCE
from support.worker_targets import fail, fail_at_import, serve

import xichan

pytest.importorskip("concurrent.interpreters")


@pytest.mark.parametrize("target, error", [(fail_at_import, ModuleNotFoundError), (fail, ValueError)])
def test_ready_raises_the_failure_of_a_worker(target, error):
    started = time.monotonic()
    with pytest.raises(error) as caught:
        with xichan.Workers(2, target) as workers:
            workers.ready(PATIENCE)
    assert time.monotonic() - started < PATIENCE
    assert any("worker_" in note for note in caught.value.__notes__)


def test_ready_raises_when_a_value_cannot_be_rebuilt():
    class Odd:
        def __reduce__(self):
            return int, ("not a number",)

    with pytest.raises(ValueError, match="not a number"):
        with xichan.Workers(1, serve, Odd()) as workers:
            workers.ready(PATIENCE)
    odd = Odd()
    with pytest.raises(ValueError, match="not a number"):
        with xichan.Workers(1, lambda: odd) as workers:
            workers.ready(PATIENCE)


def test_ready_raises_if_a_target_returns_without_it():
    with pytest.raises(RuntimeError, match="worker_0 has ended without calling"):
        with xichan.Workers(1, print) as workers:
            workers.ready(PATIENCE)


def test_ready_has_a_timeout():
    def late():
        xichan.worker().wait_stop()

    with xichan.Workers(2, late) as workers:
        with pytest.raises(TimeoutError, match=r"not ready after 0.05 seconds: worker_0, worker_1"):
            workers.ready(0.05)
        workers.stop()


def test_one_failure_stops_the_others_and_is_raised():
    def target(rx):
        me = xichan.worker()
        me.ready()
        if me.index == 1:
            rx.recv()
            raise KeyError("lost")
        me.wait_stop()

    tx, rx = xichan.channel()
    with pytest.raises(KeyError, match="lost"):
        with xichan.Workers(3, target, rx) as workers:
            workers.ready(PATIENCE)
            tx.send(None)


def test_several_failures_are_raised_as_a_group():
    with pytest.raises(ExceptionGroup) as caught:
        with xichan.Workers(3, fail, on_error="continue"):
            pass
    assert [type(error) for error in caught.value.exceptions] == [ValueError] * 3


def test_a_failure_does_not_stop_the_others_with_continue():
    def target(tx):
        me = xichan.worker()
        if me.index == 0:
            raise ValueError("alone")
        time.sleep(0.1)
        tx.send(me.stopping)

    tx, rx = xichan.channel(None)
    with pytest.raises(ValueError, match="alone"):
        with xichan.Workers(2, target, tx, on_error="continue"):
            tx.close()
            assert rx.recv(PATIENCE) is False


def test_targets_that_do_not_stop_after_a_failure_are_interrupted():
    def target():
        if xichan.worker().index == 0:
            raise ValueError("first")
        while True:
            pass

    with pytest.raises(ValueError, match="first"):
        with xichan.Workers(2, target, grace=0.1):
            pass


def test_endpoints_of_a_failed_worker_are_closed_with_its_error():
    def target(tx):
        tx.send(1)
        raise ValueError("half way")

    tx, rx = xichan.channel()
    with pytest.raises(ValueError, match="half way"):
        with xichan.Workers(1, target, tx):
            tx.close()
            assert rx.recv(PATIENCE) == 1
            with pytest.raises(xichan.ChannelFailed):
                rx.recv(PATIENCE)


@pytest.mark.parametrize("code, fails", [("", False), ("0", False), ("3", True)])
def test_sys_exit_in_a_worker(code, fails):
    def target(code):

        sys.exit(*map(int, code.split()))

    if not fails:
        with xichan.Workers(1, target, code):
            pass
        return
    with pytest.raises(xichan.BrokenWorker, match="exit"):
        with xichan.Workers(1, target, code):
            pass


def test_an_exception_in_the_block_stops_the_workers():
    with pytest.raises(ZeroDivisionError):
        with xichan.Workers(2, serve) as workers:
            workers.ready(PATIENCE)
            1 / 0  # noqa: B018
