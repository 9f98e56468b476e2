"""Usual mistakes: the message of each names what was found and what to do. docs/reference/messages.md lists them."""

import asyncio
import inspect
import re
import sys
import threading
import warnings
from pathlib import Path

import pytest
from support import run_script

import xichan

ROOT = Path(__file__).resolve().parents[3]
needs_interpreters = pytest.mark.skipif(sys.version_info < (3, 14), reason="needs CPython 3.14")


def raised(kind, call, *arguments, **keywords):
    """Return the message of the exception that a call raises."""
    with pytest.raises(kind) as caught:
        call(*arguments, **keywords)
    return str(caught.value)


@pytest.mark.parametrize("side", [0, 1])
def test_call_on_a_closed_endpoint_names_close_and_clone(side):
    end = xichan.channel(1)[side]
    with end:
        pass
    message = raised(xichan.ChannelClosed, *((end.send, 1) if side == 0 else (end.recv,)))
    assert message.startswith(f"this {type(end).__name__} is closed: by close() or the end of its `with` block")
    assert "clone()" in message


@pytest.mark.parametrize("name", ["send_nowait", "send_many"])
def test_every_send_on_a_closed_sender_names_the_remedy(name):
    tx, rx = xichan.channel(1)
    tx.close()
    assert "clone()" in raised(xichan.ChannelClosed, getattr(tx, name), [1])


@pytest.mark.parametrize("call", ["rx.recv()", "list(rx)", "rx.recv_many(3)"])
def test_ctrl_c_in_an_endless_receive_counts_the_open_senders(call):
    """The Sender that a program forgot to close keeps its loop waiting."""
    note = interrupted("tx, rx = xichan.channel(4); other = tx.clone()", call, "receivers")
    assert note == (
        "recv() was waiting: the channel is empty; 2 Senders are open, and the wait ends when a value arrives or each "
        "is closed: close() those that send no more"
    )


def test_ctrl_c_in_a_receive_counts_a_sender_that_was_sent_along():
    note = interrupted(
        "tx, rx = xichan.channel(4); tx.send(tx); tx.close(); twin = rx.recv()", "rx.recv()", "receivers"
    )
    assert "1 Sender is open, and" in note


def test_ctrl_c_in_a_send_shows_the_full_channel():
    note = interrupted("tx, rx = xichan.channel(1); tx.send(0)", "tx.send(1)", "senders")
    assert note == "send() was waiting: the channel is full, with 1 value queued; 1 Receiver is open"


def test_ctrl_c_in_a_rendezvous_names_the_other_thread():
    """send() and recv() in one thread wait for each other."""
    note = interrupted("tx, rx = xichan.channel(0)", "tx.send(1)", "senders")
    assert note == (
        "send() was waiting: capacity is 0, so it needs a recv() in another thread or interpreter; 1 Receiver is open"
    )


def test_ctrl_c_in_a_coroutine_that_blocks_names_the_coroutine():
    setup = "import asyncio\ntx, rx = xichan.channel(1)\nasync def main(): await rx.recv()"
    # asyncio.run() replaces the handler: restore the one that interrupts at once.
    note = interrupted(setup, "with_default_handler(main)", "receivers")
    assert note.endswith("An event loop runs in this thread: use `await` with arecv()")


def interrupted(setup, call, waiting):
    """Return the note of the KeyboardInterrupt that ends a call."""
    done = run_script(
        f"""
import os, signal, xichan
from support import Call, wait_for_blocked

def with_default_handler(main):
    async def run():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        await main()
    asyncio.run(run())

signal.signal(signal.SIGINT, signal.default_int_handler)
{setup}
helper = Call(lambda: (wait_for_blocked(rx, {waiting}=1), os.kill(os.getpid(), signal.SIGINT)))
try:
    {call}
except KeyboardInterrupt as error:
    (note,) = error.__notes__
    print(note)
helper.result()
"""
    )
    return done.stdout.strip()


def test_other_exceptions_of_signal_handlers_have_no_note():
    done = run_script(
        """
import os, signal, xichan
from support import Call, wait_for_blocked

def fail(*_):
    raise ValueError

signal.signal(signal.SIGINT, fail)
tx, rx = xichan.channel(1)
helper = Call(lambda: (wait_for_blocked(rx, receivers=1), os.kill(os.getpid(), signal.SIGINT)))
try:
    rx.recv()
except ValueError as error:
    print(hasattr(error, "__notes__"))
helper.result()
"""
    )
    assert done.stdout == "False\n"


def test_timeouts_name_the_state_of_the_channel():
    tx, rx = xichan.channel(1)
    assert raised(xichan.ChannelTimeout, rx.recv, 0.001) == "timed out: the channel stayed empty"
    tx.send(1)
    assert raised(xichan.ChannelTimeout, tx.send, 2, 0.001) == "timed out: the channel stayed full"
    assert raised(xichan.ChannelTimeout, tx.send, 2, 0) == "timed out: the channel stayed full"
    assert "other side of the channel is still open" in raised(xichan.ChannelTimeout, tx.wait_closed, 0.001)
    assert "other side of the channel is still open" in raised(xichan.ChannelTimeout, tx.wait_closed, 0)


def test_rendezvous_in_one_thread_names_the_other_thread():
    tx, rx = xichan.channel(0)
    message = "timed out: no Receiver took the value; at capacity 0, a send waits for a recv in another thread"
    assert raised(xichan.ChannelTimeout, tx.send, 1, 0.001) == message
    message = "timed out: no Sender offered a value; at capacity 0, a recv waits for a send in another thread"
    assert raised(xichan.ChannelTimeout, rx.recv, 0.001) == message
    assert "capacity is 0, and no Receiver waits" in raised(xichan.ChannelFull, tx.send_nowait, 1)
    assert "capacity is 0, and no Sender offers" in raised(xichan.ChannelEmpty, rx.recv_nowait)


def test_foreign_keywords_name_the_right_one():
    assert raised(TypeError, xichan.channel, maxsize=3).endswith("'maxsize'; use 'capacity'")
    tx, rx = xichan.channel(1)
    assert raised(TypeError, tx.send, 1, block=False).endswith("call send_nowait() instead")


@pytest.mark.parametrize(
    "keyword, hint",
    [
        ("capacity", "; use 'maxsize'"),
        ("maxlen", "; use 'maxsize'"),
        ("max_size", "; use 'maxsize'"),
        ("maxsise", ". Did you mean 'maxsize'?"),
        ("other", ""),
    ],
)
def test_foreign_keywords_of_queue_name_the_right_one(keyword, hint):
    message = raised(TypeError, xichan.Queue, **{keyword: 5})
    assert message == f"Queue.__init__() got an unexpected keyword argument '{keyword}'{hint}"


@needs_interpreters
@pytest.mark.parametrize(
    "keyword, hint",
    [
        ("processes", "; use 'max_workers'"),
        ("maxtasksperchild", "; use 'restart_after'"),
        ("max_tasks_per_child", "; use 'restart_after'"),
        ("mp_context", "; workers are interpreters of this process, without a start method"),
        ("initialize", ". Did you mean 'initializer'?"),
        ("other", ""),
    ],
)
def test_foreign_keywords_of_pool_name_the_right_one(keyword, hint):
    message = raised(TypeError, xichan.InterpreterPoolExecutor, **{keyword: 2})
    assert message == f"InterpreterPoolExecutor.__init__() got an unexpected keyword argument '{keyword}'{hint}"


def test_block_argument_of_queues_is_not_a_timeout():
    tx, rx = xichan.channel(1)
    assert raised(TypeError, rx.recv, False).endswith("got bool; 0 does not block, None blocks indefinitely")


def test_negative_timeout_names_none():
    tx, rx = xichan.channel(1)
    for call in (rx.recv, rx.wait_closed, lambda timeout: xichan.select([rx], timeout), xichan.Queue().get):
        message = raised(ValueError, call, timeout=-1)
        assert message == "timeout must be 0 or more seconds, got -1.0; None blocks indefinitely"


def test_wrong_direction_names_the_other_endpoint():
    tx, rx = xichan.channel(1)
    assert "receive from the Receiver" in raised(AttributeError, getattr, tx, "recv")
    assert "send with the Sender" in raised(AttributeError, getattr, rx, "send")


def test_names_of_queues_are_hinted_on_endpoints_and_back():
    tx, rx = xichan.channel(1)
    assert raised(AttributeError, getattr, tx, "put").endswith("use send()")
    assert raised(AttributeError, getattr, rx, "get").endswith("use recv()")
    queue = xichan.Queue()
    assert raised(AttributeError, getattr, queue, "send") == "'Queue' object has no attribute 'send'; use put()"
    assert raised(AttributeError, getattr, queue, "close").endswith("use shutdown()")
    assert raised(AttributeError, getattr, queue, "other") == "'Queue' object has no attribute 'other'"


@pytest.mark.parametrize(
    "name, hint",
    [
        ("Channel", "call channel()"),
        ("Pipe", "call channel()"),
        ("SimpleQueue", "use Queue"),
        ("ProcessPoolExecutor", "use InterpreterPoolExecutor"),
        ("Empty", "use ChannelEmpty"),
        ("create", "concurrent.interpreters"),
    ],
)
def test_foreign_names_of_the_module_are_hinted(name, hint):
    with pytest.raises(AttributeError) as caught:
        getattr(xichan, name)
    assert str(caught.value).startswith(f"module 'xichan' has no attribute '{name}'; ") and hint in str(caught.value)
    assert caught.value.name == name and caught.value.obj is xichan
    assert not hasattr(xichan, "nothing_of_the_kind")


def test_similar_names_of_the_module_are_suggested():
    done = run_script("import xichan\nxichan.selects([])", expect=1)
    assert re.search(r"Did you mean:? '\.?select'", done.stderr)


def test_select_of_two_arguments_asks_for_a_list():
    tx, rx = xichan.channel(1)
    assert "pass a list of the cases" in raised(TypeError, xichan.select, rx, rx)
    assert "pass a list of the cases" in raised(TypeError, xichan.select, [rx], (tx, 1))
    assert "pass a list of endpoints" in raised(TypeError, xichan.select, rx)


def test_forgotten_await_names_the_coroutine():
    tx, rx = xichan.channel(1)

    async def main():
        tx.asend(1)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(main())
    assert "coroutine 'asend' was never awaited" in [str(warning.message) for warning in caught]


def test_unshareable_part_of_a_value_has_a_path_and_a_remedy():
    tx, rx = xichan.channel(1)
    message = raised(xichan.NotShareableError, tx.send, [1, {"a": (threading.Lock(),)}])
    assert message.startswith("value[1]['a'][0]: _thread.lock is not shareable; ") and "instead" in message


def refusal_by_pool(setup, call):
    """Return the message of the NotShareableError that a task of a script raises."""
    done = run_script(
        f"""
import threading, xichan
lock = threading.Lock()
with xichan.InterpreterPoolExecutor(1) as pool:
    def main(lock):
        {setup}
        try:
            {call}.result()
        except xichan.NotShareableError as error:
            print(error)
    main(lock)
"""
    )
    return done.stdout.strip()


@needs_interpreters
def test_function_with_an_unshareable_variable_is_named():
    message = refusal_by_pool("pass", "pool.submit(lambda: lock.acquire())")
    assert "uses the variable 'lock' of its closure, of type _thread.lock, which cannot be sent" in message


@needs_interpreters
@pytest.mark.parametrize(
    "variable, value, use",
    [
        ("log", "open('/dev/null')", "log.read()"),
        ("sock", "__import__('socket').socket()", "sock.close()"),
        ("guard", "threading.Lock()", "guard.acquire()"),
        ("database", "__import__('sqlite3').connect(':memory:')", "database.close()"),
    ],
)
@pytest.mark.parametrize("pickle, reason", [(True, ": cannot pickle "), (False, " without pickling; ")])
def test_function_with_an_unshareable_global_names_a_remedy(variable, value, use, pickle, reason):
    done = run_script(
        f"""
import threading, xichan
{variable} = {value}
with xichan.InterpreterPoolExecutor(1, pickle={pickle}) as pool:
    try:
        pool.submit(lambda: {use})
    except xichan.NotShareableError as error:
        print(error)
"""
    )
    message = done.stdout.strip()
    assert f" uses the global {variable!r} of type " in message and f", which cannot be sent{reason}" in message
    assert message.endswith("; create it in the task, or under another name in the pool's initializer")


@needs_interpreters
def test_object_of_a_local_class_is_named():
    message = refusal_by_pool("class Local: pass", "pool.submit(str, Local())")
    assert "initializer" not in message  # one remedy
    assert "main.<locals>.Local" in message and "define it in a module that workers import" in message


@needs_interpreters
def test_result_instead_of_a_function_is_refused():
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert raised(TypeError, pool.submit, print()) == "fn must be callable, got NoneType"


@needs_interpreters
@pytest.mark.parametrize(
    "name, hint",
    [
        ("apply_async", "use submit()"),
        ("imap", "use map(..., buffersize=n)"),
        ("imap_unordered", "use submit() and concurrent.futures.as_completed()"),
        ("starmap", "use map(fn, *zip(*calls))"),
        ("join", "use shutdown()"),
        ("terminate", "use shutdown(wait=False, cancel_futures=True), which lets tasks that run complete"),
    ],
)
def test_names_of_multiprocessing_pools_are_hinted(name, hint):
    with xichan.InterpreterPoolExecutor(1) as pool:
        with pytest.raises(AttributeError) as caught:
            getattr(pool, name)
        assert str(caught.value) == f"'InterpreterPoolExecutor' object has no attribute '{name}'; {hint}"
        assert caught.value.name == name and caught.value.obj is pool


@needs_interpreters
def test_every_hint_of_pools_names_a_missing_attribute():
    from xichan import _hints

    with xichan.InterpreterPoolExecutor(1) as pool:
        assert not [name for name in _hints._POOL_NAMES if hasattr(pool, name)]
        assert raised(AttributeError, getattr, pool, "other") == (
            "'InterpreterPoolExecutor' object has no attribute 'other'"
        )


@needs_interpreters
def test_documentation_of_the_pool_does_not_mention_threads_of_the_standard_library():
    documentation = inspect.getdoc(xichan.InterpreterPoolExecutor.__init__)
    assert documentation.startswith("Create a pool.") and "ctxkwargs" not in documentation


@needs_interpreters
def test_failing_initializer_is_logged_once():
    """It fails in each worker, but it is one mistake."""
    done = run_script(
        """
import threading, xichan

def fail():
    barrier.recv()
    raise ValueError("not today")

tx, barrier = xichan.channel(2)
with xichan.InterpreterPoolExecutor(2, initializer=fail) as pool:
    futures = [pool.submit(abs, n) for n in range(2)]
    tx.send_many([1, 2])  # after both workers have started
    print([type(future.exception(60)).__name__ for future in futures])
"""
    )
    assert done.stdout == "['BrokenInterpreterPool', 'BrokenInterpreterPool']\n"
    assert done.stderr.count("is broken: a worker failed: the initializer raised") == 1, done.stderr
    assert done.stderr.count("ValueError: not today") == 1


@needs_interpreters
def test_failing_preload_names_the_module_and_the_parameter(caplog):
    with xichan.InterpreterPoolExecutor(1, preload=["nope"]) as pool:
        message = str(pool.submit(abs, 1).exception(60))
    assert message.startswith("a worker failed: module 'nope' of preload= cannot be imported: ModuleNotFoundError")
    assert message in caplog.text


@needs_interpreters
def test_impossible_number_of_workers_names_the_limit(monkeypatch):
    monkeypatch.setattr("xichan.pool.threads.most", lambda: 32768)
    assert raised(ValueError, xichan.Workers, 10**9, abs) == (
        "n must be at most 32768, the number of threads that this system can have, got 1000000000"
    )


def interrupted_shutdown(*submissions):
    """Return the note of a Ctrl-C at the end of a pool's block. Its tasks may receive from rx."""
    done = run_script(
        f"""
import os, signal, xichan
from support import Call, wait_until

def interrupt():
    wait_until(lambda: pool._scheduler.collector._joining and pool.stats().workers == 2)
    os.kill(os.getpid(), signal.SIGINT)

def consume(rx):
    return rx.recv()

signal.signal(signal.SIGINT, signal.default_int_handler)
tx, rx = xichan.channel(1)
try:
    with xichan.InterpreterPoolExecutor(2) as pool:
        {"; ".join(submissions)}
        helper = Call(interrupt)
except KeyboardInterrupt as error:
    print(*error.__notes__)
helper.result()
tx.close()
"""
    )
    return done.stdout.strip()


@needs_interpreters
def test_ctrl_c_at_the_end_of_a_pool_names_the_tasks():
    note = interrupted_shutdown(
        "pool.submit(consume, rx)",
        "pool.submit(consume, rx)",
        "pool.submit(xichan.Receiver.recv, rx)",
        "pool.submit(lambda rx: rx.recv(), rx)",
    )
    assert note == (
        "shutdown() was waiting for 4 tasks in 2 workers to return: consume (2), Receiver.recv (1), <lambda> (1). A "
        "task that blocks in a channel ends when its other side is closed"
    )


@needs_interpreters
def test_ctrl_c_at_the_end_of_a_pool_names_a_map():
    note = interrupted_shutdown("pool.map(consume, [rx, rx])")
    assert note.startswith("shutdown() was waiting for 2 tasks in 2 workers to return: consume (2). ")


def import_readline():
    import readline  # noqa: F401


@needs_interpreters
def test_module_without_support_for_interpreters_is_named():
    with xichan.InterpreterPoolExecutor(1) as pool:
        message = raised(ImportError, pool.submit(import_readline).result)
        assert message == "module readline does not support loading in subinterpreters"


@needs_interpreters
def test_importing_a_pinned_module_in_the_main_interpreter():
    printed = run_script("""
    import xichan
    def load():
        import _curses
        return True
    if __name__ == "__main__":
        with xichan.InterpreterPoolExecutor(1, fallback="pinned") as pool:
            assert pool.submit(load).result(60)
        try:
            import _curses
        except ImportError as error:
            print(error)
    """).stdout
    assert "module _curses is loaded in the pinned interpreter (fallback='pinned')" in printed
    assert "cannot be loaded in the main interpreter as well;" in printed


def test_page_lists_every_mistake():
    """Each row of the table quotes a message, or its beginning, that a test above asserts."""
    page = (ROOT / "docs" / "reference" / "messages.md").read_text()
    rows = re.findall(r"^\| .+ \| `(.+?)` \| .+ \|$", page, re.M)
    assert len(rows) >= 15
    source = Path(__file__).read_text() + (ROOT / "tests/python/channel/test_hints.py").read_text()
    for message in rows:
        for part in filter(None, (text.strip() for text in message.split("..."))):
            assert part.replace('"', '\\"') in source or part in source, part
