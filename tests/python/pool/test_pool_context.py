"""Context variables of the caller in tasks: context=."""

import asyncio
import contextvars
import decimal

import pytest
from support import PATIENCE, run_loop
from support import context_variables as variables
from support import pool_tasks as tasks
from support.context_variables import request

import xichan
from xichan.dispatch import Dispatcher

pytest.importorskip("concurrent.interpreters")

local = contextvars.ContextVar("local", default=("default", 1))  # workers cannot import this module


@pytest.fixture
def pool():
    with xichan.InterpreterPoolExecutor(1, context=True) as pool:
        yield pool


@pytest.fixture(autouse=True)
def values():
    tokens = request.set("r1"), variables.user.set(("ann", 7))
    yield
    request.reset(tokens[0])
    variables.user.reset(tokens[1])


def chosen(pool):
    """Return the executor that sends the variables of these tests, and not those of pytest or hypothesis."""
    return pool.with_options(context=(request, variables.user, local))


def test_tasks_see_the_variables_of_the_call(pool):
    def call():
        request.set("r2")
        future = pool.submit(variables.read)
        request.set("r3")
        return future.result(PATIENCE), pool.submit(variables.read).result(PATIENCE)

    assert contextvars.Context().run(call) == (("r2", None), ("r3", None))
    assert chosen(pool).submit(variables.read).result(PATIENCE) == ("r1", ("ann", 7))
    assert chosen(pool).submit(variables.read_with, value=[1]).result(PATIENCE) == ([1], "r1")


def test_variables_are_reset_after_the_task(pool):
    assert chosen(pool).submit(variables.set_and_read, "inside").result(PATIENCE) == ("r1", "inside")
    plain = pool.with_options(context=False)
    assert plain.submit(variables.read).result(PATIENCE) == ("none", None)
    with pytest.raises(ZeroDivisionError):
        chosen(pool).submit(tasks.divide, 1, 0).result(PATIENCE)
    assert plain.submit(variables.read).result(PATIENCE) == ("none", None)


def test_coroutines_see_the_variables(pool):
    assert chosen(pool).submit(variables.read_later).result(PATIENCE) == ("r1", ("ann", 7))
    assert pool.with_options(context=False).submit(variables.read_later).result(PATIENCE) == ("none", None)


@pytest.mark.parametrize("options", [{}, {"chunksize": 3}, {"buffersize": 2}])
def test_map_takes_the_context_of_its_call(options, pool):
    results = chosen(pool).map(variables.read_with, range(7), **options)
    token = request.set("later")
    assert list(results) == [(n, "r1") for n in range(7)]
    request.reset(token)
    assert list(chosen(pool).map(variables.read)) == []


def test_map_of_a_pool_with_a_context(pool):
    def call():
        request.set("r5")
        return list(pool.map(variables.read_with, range(3), buffersize=1)), list(
            pool.map(variables.read_with, range(3))
        )

    assert contextvars.Context().run(call) == ([(n, "r5") for n in range(3)],) * 2


def test_functions_sent_by_value_use_the_variables_of_workers(pool):
    def read():
        return request.get(), local.get()

    executor = chosen(pool)
    assert executor.submit(read).result(PATIENCE) == ("r1", ("default", 1))
    token = local.set([1, 2])
    assert executor.submit(read).result(PATIENCE) == ("r1", [1, 2])
    assert executor.submit(lambda: local.get()).result(PATIENCE) == [1, 2]
    local.reset(token)
    assert executor.submit(lambda: local.get()).result(PATIENCE) == ("default", 1)
    assert executor.submit(lambda: request.name).result(PATIENCE) == "the request"


def test_variable_that_workers_cannot_find_is_refused(pool):
    variable = contextvars.ContextVar("inner")

    def call(chosen):
        variable.set(1)
        pool.with_options(context=chosen).submit(variables.read)

    with pytest.raises(xichan.NotShareableError, match="'inner', a context variable that is not a global") as caught:
        contextvars.Context().run(call, True)
    assert "pass only the variables that tasks need: context=(variable, ...)" in str(caught.value)
    with pytest.raises(xichan.NotShareableError, match="'inner', a context variable that is not a global"):
        contextvars.Context().run(call, [variable])
    with pytest.raises(xichan.NotShareableError, match="'hidden'"):
        variables.hidden["variable"].set(1)
        pool.with_options(context=variables.hidden.values()).submit(variables.read)


def test_value_that_cannot_be_sent_is_refused():
    def call(pool):
        request.set(open(__file__))  # noqa: SIM115
        try:
            pool.submit(variables.read)
        finally:
            request.get().close()

    def call_with_object(pool):
        request.set(object())
        return pool.submit(variables.read_with, 1)

    with xichan.InterpreterPoolExecutor(1, context=True) as pool:
        with pytest.raises(xichan.NotShareableError, match="the context variable 'the request' is"):
            contextvars.Context().run(call, pool)
        future = contextvars.Context().run(call_with_object, pool)
        assert future.result(PATIENCE)[0] == 1 and pool.stats().pickled_calls == 1
    with xichan.InterpreterPoolExecutor(1, context=True, pickle=False) as pool:
        with pytest.raises(xichan.NotShareableError, match="the context variable 'the request' is of type object"):
            contextvars.Context().run(call_with_object, pool)


def test_argument_that_cannot_be_sent_is_named():
    with xichan.InterpreterPoolExecutor(1, context=[request], pickle=False) as pool:
        with pytest.raises(xichan.NotShareableError, match=r"args\[1\]"):
            pool.submit(tasks.call_with, 1, object())


def test_endpoints_in_variables_are_closed_after_the_task(pool):
    def send():
        request.get().send(1)

    tx, rx = xichan.channel()
    token = request.set(tx)
    with tx:
        chosen(pool).submit(send).result(PATIENCE)
    request.reset(token)
    assert list(rx) == [1]


def test_context_of_decimal_is_sent(pool):
    def compute():
        with decimal.localcontext(prec=5, traps=[decimal.DivisionByZero]) as context:
            context.flags[decimal.Rounded] = True
            return pool.submit(divide, 1, 3).result(PATIENCE)

    def divide(a, b):
        import decimal

        context = decimal.getcontext()
        flags = [signal.__name__ for signal, on in context.flags.items() if on]
        traps = [signal.__name__ for signal, on in context.traps.items() if on]
        return decimal.Decimal(a) / b, flags, traps

    value, flags, traps = contextvars.Context().run(compute)
    assert value == decimal.Decimal("0.33333") and flags == ["Rounded"] and traps == ["DivisionByZero"]


def test_event_loops_pass_their_context():
    async def main():
        asyncio.get_running_loop().set_default_executor(pool)
        request.set("in the loop")
        assert await asyncio.to_thread(variables.read) == ("in the loop", None)
        given = contextvars.Context()
        given.run(request.set, "given")
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, given.run, variables.read) == ("given", None)
        await loop.shutdown_default_executor()

    pool = xichan.InterpreterPoolExecutor(1, context=True)
    contextvars.Context().run(run_loop, main())


def test_tasks_in_this_interpreter_see_the_variables():
    def read():
        import faulthandler  # refuses subinterpreters

        return faulthandler and (request.get(), local.get())

    with xichan.InterpreterPoolExecutor(1, fallback="main", context=[request, local]) as pool:
        token = local.set("set")
        assert pool.submit(read).result(PATIENCE) == ("r1", "set")
        assert list(pool.map(lambda n: read(), range(2))) == [("r1", "set")] * 2
        local.reset(token)
        assert pool.stats().in_main == 3
    with (
        xichan.InterpreterPoolExecutor(1, context=[request]) as pool,
        Dispatcher(pool, main_only=[variables.read]) as dispatcher,
    ):
        assert dispatcher.submit(variables.read).result(PATIENCE)[0] == "r1"
        assert dispatcher.submit(variables.read_with, 2).result(PATIENCE) == (2, "r1")


def test_options_are_combined(pool):
    executor = chosen(pool).with_options(deadline=60, copy=False)
    view = executor.submit(variables.read_with, "x" * 100).result(PATIENCE)
    assert isinstance(view, xichan.TupleView) and view[1] == "r1"
    assert executor.with_options(context=False, copy=True).submit(variables.read).result(PATIENCE) == ("none", None)


@pytest.mark.parametrize("context", [1, None, "all", [1], contextvars.copy_context()])
def test_invalid_contexts_are_rejected(context):
    with pytest.raises(TypeError, match="context must be True, False or a collection of ContextVar"):
        xichan.InterpreterPoolExecutor(1, context=context)
