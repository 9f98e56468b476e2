"""The ResourceWarning about values that are lost when the last Receiver is dropped."""

import gc
import warnings

import pytest
from support import interpreter, run_script

import xichan


def dropped(make):
    """Return the messages of the warnings while what `make` returns is dropped."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        make()
        gc.collect()
    return [str(each.message) for each in caught if each.category is ResourceWarning]


def queued(count=2, **options):
    tx, rx = xichan.channel(8, **options)
    for i in range(count):
        tx.send(i)
    return tx, rx


def test_last_receiver_dropped_with_values_queued():
    (message,) = dropped(lambda: queued(3, name="jobs"))
    assert message.startswith("the last Receiver of channel jobs was dropped while open: 3 queued values are lost")


def test_channel_without_a_name_is_named_by_its_id():
    numbers = []

    def drop():
        tx, rx = queued(1)
        numbers.append(f"#{rx.id & (1 << 64) - 1:x}")

    (message,) = dropped(drop)
    assert f"channel {numbers[0]} was dropped" in message


def test_values_left_in_the_handle_count():
    def drop():
        tx, rx = queued(3)
        xichan._core._fail_after(0)
        try:
            rx.recv_many(3)
        except MemoryError:
            pass
        finally:
            xichan._core._fail_after(-1)

    assert all("3 queued values" in message for message in dropped(drop))


def drop_after_close():
    tx, rx = queued()
    rx.close()


def drop_after_with():
    tx, rx = queued()
    with rx:
        pass


def drop_after_shutdown():
    tx, rx = queued()
    tx.shutdown()


def drop_empty():
    tx, rx = queued()
    rx.drain()


def drop_sender():
    tx, rx = queued()
    del tx
    rx.drain()


def drop_clone():
    tx, rx = queued()
    rx.clone()
    rx.close()


@pytest.mark.parametrize("drop", [drop_after_close, drop_after_with, drop_after_shutdown, drop_empty, drop_sender])
def test_no_warning_if_nothing_is_lost(drop):
    assert dropped(drop) == []


def test_no_warning_while_another_receiver_is_open():
    assert dropped(drop_clone) == []


def test_shown_in_development_mode_only():
    source = "import xichan\ntx, rx = xichan.channel()\ntx.send(1)\ndel rx\n"
    assert "ResourceWarning" not in run_script(source).stderr
    assert "ResourceWarning: the last Receiver" in run_script(source, options=["-X", "dev"]).stderr


def test_warning_that_is_an_error_is_reported_and_raises_nothing():
    done = run_script(
        "import xichan\ntx, rx = xichan.channel()\ntx.send(1)\ndel rx\nprint('goes on')\n",
        options=["-W", "error::ResourceWarning"],
    )
    assert done.stdout == "goes on\n" and "ResourceWarning: the last Receiver" in done.stderr


def test_no_warning_from_an_interpreter_that_ends():
    done = run_script("import xichan\ntx, rx = xichan.channel()\ntx.send(1)\n", options=["-X", "dev"])
    assert "ResourceWarning" not in done.stderr
    done = run_script(
        """
        from concurrent import interpreters
        interp = interpreters.create()
        interp.exec("import xichan; tx, rx = xichan.channel(); tx.send(1)")
        interp.close()
        """,
        options=["-X", "dev"],
    )
    assert "ResourceWarning" not in done.stderr


def test_pools_and_queues_do_not_warn():
    done = run_script(
        """
        import xichan
        with xichan.InterpreterPoolExecutor(1) as pool:
            assert pool.submit(pow, 2, 5).result() == 32
        pool = xichan.InterpreterPoolExecutor(1)
        futures = [pool.submit(pow, 2, i) for i in range(50)]
        pool.shutdown(cancel_futures=True)
        """,
        options=["-X", "dev"],
    )
    assert "ResourceWarning" not in done.stderr


def test_warning_in_another_interpreter():
    with interpreter() as interp:
        interp.exec(
            "import warnings, xichan\n"
            "with warnings.catch_warnings(record=True) as caught:\n"
            "    warnings.simplefilter('always')\n"
            "    tx, rx = xichan.channel(1); tx.send(1)\n"
            "    del rx\n"
            "assert len(caught) == 1, caught\n"
        )
