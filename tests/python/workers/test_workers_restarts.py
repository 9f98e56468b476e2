"""xichan.Workers: restarts of workers that fail."""

import contextlib

import pytest
from support import PATIENCE, wait_until

import xichan

interpreters = pytest.importorskip("concurrent.interpreters")


def test_failed_worker_is_restarted():
    def target(tx):
        me = xichan.worker()
        tx.send((me.index, me.attempt))
        if me.index == 0 and me.attempt < 2:
            raise ValueError("again")
        me.ready()

    tx, rx = xichan.channel(None)
    with xichan.Workers(2, target, tx, restart=2) as workers:
        tx.close()
        workers.ready(PATIENCE)
    assert sorted(rx) == [(0, 0), (0, 1), (0, 2), (1, 0)]


def test_restarts_are_limited_and_the_stream_fails_after_the_last():
    def target(tx):
        tx.send(xichan.worker().attempt)
        raise ValueError("always")

    tx, rx = xichan.channel(None)
    with pytest.raises(ValueError, match="always"):
        with xichan.Workers(1, target, tx, restart=1):
            tx.close()
            assert [rx.recv(PATIENCE), rx.recv(PATIENCE)] == [0, 1]
            with pytest.raises(xichan.ChannelFailed) as caught:
                rx.recv(PATIENCE)
            assert isinstance(caught.value.__cause__, ValueError)


def test_stop_ends_the_pause_before_a_restart(caplog):
    def target(tx):
        raise ValueError("broken")

    tx, rx = xichan.channel()
    with xichan.Workers(1, target, tx, restart=50) as workers:
        tx.close()
        wait_until(lambda: workers._supervisor.members[0].attempt == 2)
        workers.stop()
    with pytest.raises(xichan.ChannelFailed):
        rx.recv(PATIENCE)
    assert "worker_0 failed, and starts again in 0.2 seconds: ValueError('broken')" in caplog.text


@pytest.mark.parametrize("restart", [0, 1])
def test_failure_after_the_stop_is_raised_unless_a_restart_is_left(restart, caplog):
    def target():
        xichan.worker().ready()
        xichan.worker().wait_stop()
        raise ValueError("while stopping")

    raised = pytest.raises(ValueError, match="while stopping") if restart == 0 else contextlib.nullcontext()
    with raised, xichan.Workers(1, target, restart=restart) as workers:
        workers.ready(PATIENCE)
        workers.stop()
    assert ("while stopping" in caplog.text) == (restart == 1)


def test_interrupts_during_restarts_reach_one_attempt_each():
    def target(tx):
        tx.send(xichan.worker().attempt)
        while True:
            pass

    tx, rx = xichan.channel(None)
    with xichan.Workers(1, target, tx, restart=3, on_error="continue") as workers:
        for attempt in range(3):
            assert rx.recv(PATIENCE) == attempt
            workers.interrupt(0)
        assert rx.recv(PATIENCE) == 3
        workers.stop()
        workers.interrupt(0)


def test_restarts_take_interpreters_on_standby():
    def target(tx):
        from concurrent import interpreters

        tx.send(interpreters.get_current().id)
        if xichan.worker().attempt < 2:
            raise ValueError("again")

    before = {interpreter.id for interpreter in interpreters.list_all()}
    tx, rx = xichan.channel(None)
    with xichan.Workers(1, target, tx, restart=2, standby=1) as workers:
        first = rx.recv(PATIENCE)
        wait_until(lambda: len(workers._supervisor.standby) == 1)
        kept = {interpreter.id for interpreter in interpreters.list_all()} - before - {first}
        tx.close()
    restarted = list(rx)
    assert len(restarted) == 2 and restarted[0] in kept
    assert {interpreter.id for interpreter in interpreters.list_all()} == before
