"""Operations between interpreters that must not leak references. Each function is one round of a loop."""

import contextlib
import functools
import pickle
from concurrent import interpreters

import xichan
from support import PATIENCE, Call, execute, interpreter, references, wait_for_blocked
from support import pool_tasks as tasks
from support.reference_operations import REFUSED, TEXT, VALUE
from xichan import dispatch


def bare_interpreters():
    """The references that CPython itself leaks."""
    with interpreter():
        pass


def importing():
    with interpreter() as interp:
        interp.exec("import xichan, xichan.pool, xichan.compat.channels, xichan.service")


def exchanging():
    there, rx = xichan.channel(4)
    tx, back = xichan.channel(4)
    with interpreter(rx=rx, tx=tx) as interp:
        rx.close()
        tx.close()
        echo = execute(interp, "for value in rx: tx.send((value, tx.clone()))")
        for value in VALUE, TEXT, there, 1:
            there.send(value)
            back.recv()
        there.send(xichan.share(VALUE))
        back.recv(copy=False)
        there.close()
        echo.result()


def leaving_all_behind():
    """An interpreter ends with handles, views, queued values, published names and unclaimed tickets."""
    with interpreter() as interp:
        interp.exec(
            """if True:
            import pickle, xichan
            from support import rich, samples
            tx, rx = xichan.channel(100, name="left behind")
            views = []
            for value in samples(*xichan.channel()).values():
                tx.send_many([value, value])
                views.append(rx.recv(copy=False))
            queue = xichan.Queue()
            queue.put(1)
            cycle = [tx, rx, views, xichan.share(rich()), xichan.Buffer(10), queue, pickle.dumps(tx)]
            cycle.append(cycle)
            xichan.publish("left behind by an interpreter", (tx, 1))
            try:
                tx.send(object())
            except TypeError as error:
                caught = error
            tx.fileno()
            waiting = rx.arecv()
            waiting.close()
            """
        )
    with contextlib.suppress(xichan.NotFound):
        xichan.unpublish("left behind by an interpreter")


def ending_under_a_call():
    """An interpreter ends while one of its threads is blocked in a call, which that wakes."""
    tx, rx = xichan.channel(1)
    with interpreter(rx=rx) as interp:
        interp.exec(
            """if True:
            import threading, xichan

            def wait():
                try:
                    rx.recv()
                except xichan.ChannelClosed:
                    pass

            thread = threading.Thread(target=wait)
            thread.start()
            """
        )
        wait_for_blocked(tx, receivers=1)


def calls_and_queues_of_the_standard_library():
    tx, rx = xichan.channel(1)
    queue = interpreters.create_queue()
    with interpreter(ends=(tx, (rx, 1))) as interp:
        interp.call(tasks.identity, tx)
        interp.call(tasks.identity, (tx, VALUE))
        call = interp.call_in_thread(tasks.send_through, tx, VALUE)
        rx.recv(PATIENCE)
        call.join()
        with contextlib.suppress(interpreters.ExecutionFailed):
            interp.exec("import xichan; xichan.channel()[1].recv_nowait()")
            raise AssertionError
    for item in tx, (rx, VALUE), xichan.share(VALUE), xichan.Queue():
        queue.put(item)
        queue.get()
    queue.put(tx)  # dropped with its queue


@functools.cache
def pool():
    """Return the pool that all rounds share."""
    return xichan.InterpreterPoolExecutor(1)


def tidy():
    """Run references.tidy() in the worker of the pool."""
    pool().submit(references.tidy).result(PATIENCE)


def tasks_of_a_pool():
    executor = pool()
    executor.submit(tasks.square, 3).result(PATIENCE)
    executor.submit(tasks.call_with, VALUE, key=TEXT).result(PATIENCE)
    list(executor.map(tasks.square, range(20), chunksize=4))
    executor.submit(tasks.divide, 1, 0).exception(PATIENCE)
    executor.submit(tasks.raise_unpicklable).exception(PATIENCE)
    executor.submit(tasks.make_list, 5).result(PATIENCE)
    executor.submit(tasks.make_picky).exception(PATIENCE)
    with contextlib.suppress(ZeroDivisionError):
        list(executor.map(tasks.divide, [1, 1], [1, 0]))
        raise AssertionError
    executor.run_string("result = 5").result(PATIENCE)
    executor.stats()
    tidy()


def tasks_refused_and_cancelled():
    executor = pool()
    for arguments in (tasks.identity, lambda: 1), (tasks.identity, Call(int)):
        with contextlib.suppress(*REFUSED, AttributeError, pickle.PicklingError):
            executor.submit(*arguments).exception(PATIENCE)
    started, running = xichan.channel()
    release, gate = xichan.channel()
    blocked = executor.submit(tasks.block, started, gate)
    running.recv(PATIENCE)
    executor.submit(tasks.square, 2).cancel()
    release.send(1)
    blocked.result(PATIENCE)
    tidy()


def pools():
    """Pools that are created and shut down, with a worker that exits, and with unfinished tasks cancelled."""
    with xichan.InterpreterPoolExecutor(2, initializer=tasks.identity, initargs=(TEXT,), shared={"a": 1}) as executor:
        list(executor.map(tasks.square, range(10)))
    with xichan.InterpreterPoolExecutor(1) as executor:
        executor.submit(tasks.leave, 3).exception(PATIENCE)
    with xichan.InterpreterPoolExecutor(1, restart_after=2) as executor:
        list(executor.map(tasks.square, range(5)))
    executor = xichan.InterpreterPoolExecutor(1)
    executor.submit(tasks.square, 1)
    executor.shutdown(cancel_futures=True)


def dispatching():
    with (
        xichan.InterpreterPoolExecutor(1) as pool,
        dispatch.Dispatcher(pool, main_only=[tasks.square], max_threads=1) as dispatcher,
    ):
        dispatcher.submit(tasks.square, 3).result(PATIENCE)
        dispatcher.submit(tasks.identity, TEXT).result(PATIENCE)
        list(dispatcher.map(tasks.identity, range(4)))
        dispatcher.stats()


OPERATIONS = {
    bare_interpreters: 1, importing: 1, exchanging: 1, leaving_all_behind: 1, ending_under_a_call: 1,
    calls_and_queues_of_the_standard_library: 1, tasks_of_a_pool: 10, tasks_refused_and_cancelled: 10, pools: 1,
    dispatching: 1,
}  # fmt: skip
