"""Arguments and results that cannot be made: only their own task fails."""

import dataclasses
import sys
import types

import pytest

import xichan


@pytest.fixture
def foreign(monkeypatch):
    """An object of a class that workers cannot import."""
    module = types.ModuleType("only_in_main")
    monkeypatch.setitem(sys.modules, "only_in_main", module)
    module.Foreign = dataclasses.make_dataclass("Foreign", ["x"], module="only_in_main")
    return module.Foreign(1)


def make_local():
    """Return an object of a class that only this worker has."""
    module = types.ModuleType("only_in_worker")
    sys.modules["only_in_worker"] = module
    module.Local = dataclasses.make_dataclass("Local", ["x"], module="only_in_worker")
    return module.Local(2)


def make_local_or(value):
    return make_local() if value is None else value


def test_arguments_that_cannot_be_made_fail_their_task_only(pool, foreign):
    futures = [pool.submit(repr, 1), pool.submit(repr, foreign), pool.submit(repr, 3)]
    assert futures[0].result(30) == "1" and futures[2].result(30) == "3"
    with pytest.raises(xichan.DecodeError, match="only_in_main"):
        futures[1].result(30)


def test_arguments_of_a_chunk_that_cannot_be_made_fail_their_task_only(pool, foreign):
    results = pool.map(repr, [1, foreign, 3], chunksize=3)
    assert next(results) == "1"
    with pytest.raises(xichan.DecodeError, match="only_in_main"):
        next(results)
    assert pool.submit(repr, 4).result(30) == "4"


def test_results_that_cannot_be_made_fail_their_task_only(pool):
    futures = [pool.submit(make_local), pool.submit(repr, 1)]
    with pytest.raises(xichan.DecodeError, match="only_in_worker"):
        futures[0].result(30)
    assert futures[1].result(30) == "1"
    results = pool.map(make_local_or, [1, None, 3], chunksize=3)
    assert next(results) == 1
    with pytest.raises(xichan.DecodeError, match="only_in_worker"):
        next(results)
    assert pool.submit(repr, 4).result(30) == "4"
