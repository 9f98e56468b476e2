"""Globals that an initializer sets are visible to the tasks of its worker."""

import functools
import types

import pytest
from support import PATIENCE, run_script

import xichan

pytest.importorskip("concurrent.interpreters")

SOURCE = """
STATE, CONFIG, PAIR, SCALE, count = "unset", {"a": 1}, ([0], 5), 2, 5

def init(value):
    global STATE, NEW
    STATE = value
    NEW = [value]
    CONFIG["b"] = value
    PAIR[0].append(value)
    SCALE

def init_by_helper(value):
    init(value)

def read(): return STATE, NEW, CONFIG, PAIR, SCALE
def read_count():
    global count
    count += 1
    return count, SCALE
def read_by_helper(): return read()[0]
def append(value):
    NEW.append(value)
    return NEW
"""


@pytest.fixture
def program():
    namespace = {"__name__": "__main__"}
    exec(compile(SOURCE, "<program>", "exec"), namespace)
    return types.SimpleNamespace(**namespace)


@pytest.mark.parametrize("how", ["init", "init_by_helper", "partial"])
def test_tasks_see_globals_that_the_initializer_set(program, how):
    initializer = functools.partial(program.init) if how == "partial" else getattr(program, how)
    with xichan.InterpreterPoolExecutor(1, initializer=initializer, initargs=("set",)) as pool:
        expected = ("set", ["set"], {"a": 1, "b": "set"}, ([0, "set"], 5), 2)
        assert pool.submit(program.read).result(PATIENCE) == expected
        assert pool.submit(program.read_by_helper).result(PATIENCE) == "set"
        assert pool.submit(lambda functions: functions[0](), [program.read_by_helper]).result(PATIENCE) == "set"
        assert pool.submit(program.append, "more").result(PATIENCE) == ["set", "more"]
        assert pool.submit(program.read).result(PATIENCE)[1] == ["set", "more"]
    assert program.read.__globals__["STATE"] == "unset"


def test_other_globals_remain_a_snapshot_of_the_program(program):
    with xichan.InterpreterPoolExecutor(1, initializer=program.init, initargs=("set",)) as pool:
        assert [pool.submit(program.read_count).result(PATIENCE) for _ in range(2)] == [(6, 2)] * 2
        program.read.__globals__.update(SCALE=3, count=10, STATE="later")
        assert pool.submit(program.read_count).result(PATIENCE) == (11, 3)
        assert pool.submit(program.read).result(PATIENCE)[0] == "set"  # it stays what the initializer made it


def test_each_new_worker_has_the_globals_of_the_initializer(program):
    with xichan.InterpreterPoolExecutor(2, initializer=program.init, initargs=("set",), restart_after=2) as pool:
        found = [future.result(PATIENCE) for future in [pool.submit(program.read) for _ in range(10)]]
        assert [state for state, *_ in found] == ["set"] * 10
        assert list(pool.map(program.read_by_helper, *[()])) == []


def test_initializer_of_a_program_reaches_its_tasks():
    done = run_script(
        """
        import xichan
        STATE = None
        def init(value):
            global STATE
            STATE = value
        def read():
            return STATE
        with xichan.InterpreterPoolExecutor(2, initializer=init, initargs=("set",)) as pool:
            print(pool.submit(read).result(), pool.submit(lambda: STATE).result())
        """
    )
    assert done.stdout == "set set\n"
