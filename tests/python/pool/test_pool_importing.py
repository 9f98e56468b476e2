"""Whether a function is sent by name or by value depends on what the workers can import."""

import functools
import importlib.util
import os
import sys

import pytest
from support import PATIENCE, Call, run_script
from support import pool_tasks as tasks

import xichan
from xichan.dispatch import Dispatcher

pytest.importorskip("concurrent.interpreters")
from xichan.pool.byvalue.functions import describe  # noqa: E402

SOURCE = """
OFFSET = 1
class Point:
    def __init__(self, x): self.x = x
def work(n): return n + OFFSET
async def later(n): return n + OFFSET
def make(n): return Point(n)
"""


@pytest.fixture
def load(tmp_path):
    """Return a function that loads a module as a program does that knows its file, outside sys.path."""
    names = []

    def load(name, source=SOURCE):
        file = tmp_path / f"{name}.py"
        file.write_text(source)
        spec = importlib.util.spec_from_file_location(name, file)
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        names.append(name)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in names:
        del sys.modules[name]


def test_function_of_a_module_outside_sys_path_is_sent_by_value(load, pool):
    module = load("xichan_test_outside")
    assert type(describe(module.work).data) is bytes
    assert pool.submit(module.work, 4).result(PATIENCE) == 5
    assert list(pool.map(module.work, range(4), chunksize=2)) == [1, 2, 3, 4]
    assert pool.submit(module.later, 4).result(PATIENCE) == 5


def test_workers_import_only_what_they_need():
    done = run_script(
        """
        from concurrent import interpreters
        interpreters.create().exec("import sys; print(*sys.modules, flush=True)")
        import xichan
        with xichan.InterpreterPoolExecutor(1) as pool:
            print(pool.submit(eval, "' '.join(__import__('sys').modules)").result())
        """
    )
    bare, worker = (set(line.split()) for line in done.stdout.splitlines())
    assert "xichan.pool.worker" in worker
    slow = "asyncio concurrent contextvars dataclasses functools inspect logging traceback typing weakref"
    own = "_hints _pickling _records _stats pool.options"
    assert not (worker - bare) & {*slow.split(), *(f"xichan.{name}" for name in own.split())}


def test_class_of_a_module_outside_sys_path_is_refused_at_submit(load, pool):
    module = load("xichan_test_outside")
    for call in (
        lambda: pool.submit(tasks.identity, module.Point(1)),
        lambda: pool.submit(tasks.identity, [module.Point]),
        lambda: pool.submit(module.make, 1),
        lambda: pool.map(tasks.identity, [module.Point(1)]),
    ):
        with pytest.raises(
            xichan.NotShareableError, match="class Point of xichan_test_outside, which workers cannot im"
        ):
            call()
    with pytest.raises(xichan.NotShareableError, match="the module 'xichan_test_outside'"):
        pool.submit(lambda: module.OFFSET)


def test_function_whose_name_leads_to_another_file_is_sent_by_value(load, pool):
    module = load("colorsys")  # hides a module of the standard library
    assert pool.submit(module.work, 4).result(PATIENCE) == 5


def test_module_of_a_finder_of_this_interpreter_is_sent_by_value(pool):
    class Loader:
        def create_module(self, spec):
            return None

        def exec_module(self, module):
            exec(SOURCE, module.__dict__)

    class Finder:
        def find_spec(self, name, path=None, target=None):
            return importlib.util.spec_from_loader(name, Loader()) if name == "xichan_test_found" else None

    sys.meta_path.append(finder := Finder())
    try:
        import xichan_test_found

        assert pool.submit(xichan_test_found.work, 4).result(PATIENCE) == 5
        with pytest.raises(xichan.NotShareableError, match="class Point of xichan_test_found"):
            pool.submit(tasks.identity, xichan_test_found.Point(1))
    finally:
        sys.meta_path.remove(finder)
        sys.modules.pop("xichan_test_found", None)


def test_importability_follows_working_directory_and_path(tmp_path):
    (tmp_path / "beside.py").write_text(SOURCE)
    done = run_script(
        f"""
        import os, sys, xichan
        os.chdir({str(tmp_path)!r})
        sys.path.insert(0, "")
        import beside
        with xichan.InterpreterPoolExecutor(1) as pool:
            print(pool.submit(beside.work, 1).result(), pool.submit(beside.make, 1).result().x)
        os.chdir("/")
        with xichan.InterpreterPoolExecutor(1) as pool:
            print(pool.submit(beside.work, 1).result())
            try:
                pool.submit(beside.make, 1)
            except xichan.NotShareableError as error:
                print("class Point of beside" in str(error))
        """
    )
    assert done.stdout == "2 1\n2\nTrue\n"


def test_names_that_only_main_has_are_sent_by_value_or_refused():
    done = run_script(
        """
        import functools, typing, xichan
        from support import pool_tasks as tasks
        @functools.lru_cache(maxsize=7)
        def fib(n):
            return n if n < 2 else fib(n - 1) + fib(n - 2)
        class Singleton:
            def __reduce__(self):
                return "ONLY"
        ONLY = Singleton()
        Name = typing.NewType("Name", str)
        with xichan.InterpreterPoolExecutor(1) as pool:
            print(pool.submit(fib, 30).result(), pool.submit(lambda: fib(20)).result())
            print(pool.submit(lambda fs: fs[0](10), [fib]).result())
            print(pool.submit(lambda: fib.cache_info().maxsize).result())
            for value in (ONLY, Name):
                try:
                    pool.submit(tasks.identity, [value])
                except xichan.NotShareableError as error:
                    print("of __main__ cannot be sent; define it in a module" in str(error))
        """
    )
    assert done.stdout == "832040 6765\n55\n7\nTrue\nTrue\n"


def test_modules_that_workers_import_are_sent_by_name():
    import concurrent.futures.thread
    import xml.dom.minidom

    for function in (xml.dom.minidom.parseString, concurrent.futures.thread._worker, os.path.join, tasks.square):
        assert type(describe(function).data) is str
    assert describe(functools.reduce).data == "_functools:reduce"


def test_functions_of_a_module_outside_sys_path_are_found_by_the_lists_of_a_dispatcher(load, pool):
    module = load("xichan_test_outside")
    for only in ("xichan_test_outside", "xichan_test_outside.make", module.make):
        dispatcher = Dispatcher(pool, main_only={only})
        assert type(dispatcher.submit(module.make, 1).result(PATIENCE)) is module.Point
        dispatcher._policy.join()


def test_errors_of_a_service_in_this_interpreter_keep_their_class(load):
    module = load("xichan_test_outside", "class Failure(Exception): pass\ndef fail(value): raise Failure(value)\n")
    tx, rx = xichan.channel()
    serving = Call(xichan.serve, rx, module.fail)
    with xichan.Client(tx) as client, pytest.raises(module.Failure):
        client.call(1, PATIENCE)
    serving.result()
