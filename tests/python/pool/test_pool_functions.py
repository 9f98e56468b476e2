"""Functions that workers cannot import are sent by value."""

import compileall
import functools
import importlib.util
import math
import os.path
import re
import subprocess
import sys
import types

import pytest
from support import PATIENCE, environment, run_script
from support import pool_tasks as tasks

import xichan

pytest.importorskip("concurrent.interpreters")
from xichan.pool.byvalue.functions import describe  # noqa: E402
from xichan.pool.byvalue.rebuild import by_description  # noqa: E402


def rebuilt(function, **options):
    """Return a function rebuilt from its description."""
    described = describe(function, **options)
    return by_description(described.data, described.external)


def in_main(source, **names):
    """Return functions like those of a program, in a namespace that cannot be imported."""
    namespace = {"__name__": "__main__", **names}
    exec(compile(source, "<program>", "exec"), namespace)
    return types.SimpleNamespace(**namespace)


def run(function, *args):
    with xichan.InterpreterPoolExecutor(1) as pool:
        return pool.submit(function, *args).result(PATIENCE)


def test_importable_functions_are_sent_by_name():
    for function, name in (
        (tasks.square, "support.pool_tasks:square"),
        (len, "builtins:len"),
        (math.sqrt, "math:sqrt"),
        (str.upper, "builtins:str.upper"),
        (int, "builtins:int"),
        (os.path.join, "posixpath:join"),
    ):
        assert describe(function).data == name
        assert rebuilt(function) is function
    assert type(describe(lambda: 1).data) is bytes


def test_function_with_the_name_of_another_is_sent_by_value():
    def square(number):
        return -number

    square.__qualname__, square.__module__ = "square", "support.pool_tasks"
    assert rebuilt(square)(2) == -2


def test_lambda_with_closure_runs_in_worker():
    factor = 3
    deeper = (1, ("x", 2.5), b"y")
    assert run(lambda x, y=2: (x * y * factor, deeper), 5) == (30, deeper)


def test_functions_still_share_their_closure_cells():
    def make():
        count = 10

        def up():
            nonlocal count
            count += 1
            return count

        def both():
            return up(), count

        return both

    assert rebuilt(make()) is not None and rebuilt(make())() == (11, 11)
    assert run(make()) == (11, 11)


def test_tasks_see_a_snapshot_and_not_changes_by_other_tasks():
    program = in_main("count = 5\ndef up():\n    global count\n    count += 1\n    return count\n")
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert [pool.submit(program.up).result(PATIENCE) for _ in range(3)] == [6, 6, 6]
        program.up.__globals__["count"] = 100
        assert pool.submit(program.up).result(PATIENCE) == 101
    values = [1]
    before = describe(lambda: values)
    values.append(2)
    assert by_description(before.data, before.external)() == [1]


def test_equal_values_of_different_types_stay_distinct():
    def make(value):
        return lambda: value

    values = [1, True, 1.0, 0.0, -0.0, 0, False, "1", b"1", (1,), (True,), (1.0,)]
    with xichan.InterpreterPoolExecutor(1) as pool:
        found = [pool.submit(make(value)).result(PATIENCE) for value in values]
    assert list(map(repr, found)) == list(map(repr, values))


def test_recursive_functions():
    program = in_main(
        "def even(n): return n == 0 or odd(n - 1)\n"
        "def odd(n): return n != 0 and even(n - 1)\n"
        "def factorial(n): return 1 if n < 2 else n * factorial(n - 1)\n"
    )
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert pool.submit(program.even, 10).result(PATIENCE) is True
        assert pool.submit(program.factorial, 30).result(PATIENCE) == math.factorial(30)
    chain = lambda n: n  # noqa: E731
    for _ in range(3000):  # describing it must not recurse
        chain = lambda n, inner=chain: inner(n) if n < 0 else n  # noqa: E731
    assert rebuilt(chain)(7) == 7


def test_modules_are_sent_by_name_with_their_submodules():
    import xml.dom.minidom

    def parse(text):
        return xml.dom.minidom.parseString(text).documentElement.tagName, os.path.basename("a/b")

    assert run(parse, "<found/>") == ("found", "b")
    assert set(describe(parse).modules) >= {"xml", "xml.dom", "xml.dom.minidom", "os"}


def test_defaults_and_attributes_are_kept():
    def function(a, b=(1, "x"), *, c=tasks.square, d=None):
        return a, b, c(3), d, function.kept

    function.kept = "attribute"
    assert run(function, 0) == (0, (1, "x"), 9, None, "attribute")


def test_partials_are_sent_by_value():
    partial = functools.partial(lambda a, b, *, c: (a, b, c), 1, c=3)
    assert run(partial, 2) == (1, 2, 3)
    assert run(functools.partial(functools.partial(tasks.call_with, 1), b=2)) == ((1,), (("b", 2),))


def test_decorated_function_runs_in_worker():
    program = in_main(
        "import functools\n"
        "def twice(f):\n"
        "    @functools.wraps(f)\n"
        "    def wrapper(*args): return f(*args), f(*args)\n"
        "    return wrapper\n"
        "@twice\n"
        "def work(x): return x + 1\n"
    )
    assert run(program.work, 1) == (2, 2)


def test_functions_are_sent_as_arguments_and_results():
    assert run(tasks.identity, lambda x: x + 1)(1) == 2
    assert run(lambda f, values: list(map(f, values)), lambda x: x * 2, [1, 2]) == [2, 4]
    assert run(lambda n: lambda x: x + n, 5)(1) == 6


def test_function_may_define_generators_coroutines_and_classes():
    def work(n):
        class Local:
            value = n

        async def value_of_local():
            return Local.value

        def numbers():
            yield from range(n)

        try:
            value_of_local().send(None)
        except StopIteration as stop:
            return stop.value, tuple(numbers())

    assert run(work, 3) == (3, (0, 1, 2))


def test_endpoints_in_closures_are_closed_after_each_task():
    tx, rx = xichan.channel(8)
    program = in_main(
        "def send(n):\n    tx.send(n)\n    return n and send(n - 1)\ndef call(n): return send(n)\n", tx=tx
    )
    with xichan.InterpreterPoolExecutor(1) as pool:
        for n in range(3):
            pool.submit(lambda n=n: tx.send(n)).result(PATIENCE)
        for function in (program.send, program.call):
            pool.submit(function, 1).result(PATIENCE)  # in a cycle with itself
        tx.close()
        assert [rx.recv(PATIENCE) for _ in range(7)] == [0, 1, 2, 1, 0, 1, 0]
        with pytest.raises(xichan.ChannelClosed):
            rx.recv(PATIENCE)  # although the worker is alive


def test_closure_may_hold_large_and_deep_values():
    text = "x" * 1_000_000
    wide = tuple(range(10_000))
    deep = ()
    for _ in range(1000):
        deep = (deep,)
    assert run(lambda: (len(text), sum(wide), deep == deep)) == (1_000_000, sum(wide), True)


def test_pickled_closure_values_are_counted_or_refused():
    numbers, values = [1, 2], re.compile("x")
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert pool.submit(lambda: sum(numbers)).result(PATIENCE) == 3
        assert pool.stats().pickled_calls == 0
        assert pool.submit(lambda: values.pattern).result(PATIENCE) == "x"
        assert pool.stats().pickled_calls == 1
    with xichan.InterpreterPoolExecutor(1, pickle=False) as pool:
        assert pool.submit(lambda x: x + 1, 1).result(PATIENCE) == 2
        with pytest.raises(
            xichan.NotShareableError, match=r"lambda at .*:\d+ uses the variable 'values' of its closure"
        ):
            pool.submit(lambda: values)


def test_errors_name_the_unshareable_value():
    program = in_main(
        "import __main__ as home\n"
        "class Point: pass\n"
        "def make(): return Point()\n"
        "def inner(): return make()\n"
        "def of_main(): return home\n"
        "stream = (n for n in ())\n"
        "def reads(): return stream\n"
        "def has_default(a=stream): return a\n"
    )
    for function, message in (
        (program.inner, r"function 'make' at <program>:3 uses the global 'Point' .*class Point of __main__"),
        (program.of_main, r"function 'of_main' at <program>:5 uses the global 'home' which is the module '__main__'; "),
        (program.reads, r"function 'reads' .*:7 uses the global 'stream' of type generator, which cannot be sent: "),
        (program.has_default, r"function 'has_default' .* has a default argument of type generator"),
        (lambda: program, r"lambda at .*test_pool_functions.py:\d+ uses the variable 'program' of its closure"),
    ):
        with pytest.raises(xichan.NotShareableError, match=message):
            describe(function)

    def contains_itself():
        return kept

    kept = [contains_itself]
    with pytest.raises(xichan.NotShareableError, match="contains itself, inside a value that has to be pickled"):
        describe(contains_itself)


def test_unbound_variables():
    def work():
        return later  # noqa: F821

    assert run(lambda: 1 if True else undefined) == 1  # noqa: F821
    if len(sys.argv) < 0:
        later = 1
    error = pytest.raises(NameError, run, work)
    assert "later" in str(error.value)


def test_shared_names_override_globals_of_functions():
    program = in_main("config = [1]\ndef read(): return config\ndef read_other(): return other\n")
    with xichan.InterpreterPoolExecutor(1, shared={"config": (1, 2), "other": "x"}, pickle=False) as pool:
        assert pool.submit(program.read).result(PATIENCE) == (1, 2)
        assert pool.submit(program.read_other).result(PATIENCE) == "x"


def test_thousands_of_functions_leave_a_bounded_number_published():
    with xichan.InterpreterPoolExecutor(2) as pool:
        futures = [pool.submit(lambda n=n: n) for n in range(3000)]
        assert [future.result(PATIENCE) for future in futures] == list(range(3000))
        # However many were in use at once, publishing the next one trims the cache.
        assert pool.submit(lambda: -1).result(PATIENCE) == -1
        assert len(pool._scheduler.published._known) <= 300


def test_run_string_returns_result():
    with xichan.InterpreterPoolExecutor(1, shared={"base": 10}) as pool:
        code = "import math\ndef f(): return math.floor(x) + base\nresult = f()"
        assert pool.run_string(code, shared={"x": 2.5}).result(PATIENCE) == 12
        assert pool.run_string("y = 1").result(PATIENCE) is None
        assert pool.run_string("result = 'y' in globals(), __name__").result(PATIENCE) == (False, "__main__")
        error = pool.run_string("1 +").exception(PATIENCE)
        assert type(error) is SyntaxError
        assert type(pool.run_string("raise KeyError(1)").exception(PATIENCE)) is KeyError
        with pytest.raises(TypeError):
            pool.run_string(b"pass")
        with pytest.raises(ValueError):
            pool.run_string("", shared={"1": 1})


def test_run_path_runs_source_and_compiled_files(tmp_path):
    source = tmp_path / "program.py"
    source.write_text("result = (__file__, n * 2) if __name__ == '__main__' else None\n")
    assert compileall.compile_file(source, quiet=1)
    compiled = importlib.util.cache_from_source(str(source))
    bad = tmp_path / "bad.pyc"
    bad.write_bytes(b"\0" * 20)
    empty = tmp_path / "empty.pyc"
    empty.write_bytes(b"")
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert pool.run_path(source, shared={"n": 4}).result(PATIENCE) == (str(source), 8)
        assert pool.run_path(compiled, shared={"n": 5}).result(PATIENCE) == (compiled, 10)
        for path in (bad, empty):
            error = pool.run_path(path).exception(PATIENCE)
            assert isinstance(error, ImportError) and "not compiled by this version" in str(error)
        assert isinstance(pool.run_path(tmp_path / "none.py").exception(PATIENCE), FileNotFoundError)


def test_workers_do_not_run_the_main_program_again():
    done = run_script(
        """
        import xichan
        print("once")
        scale = 3
        def work(x):
            return helper(x) * scale
        def helper(x):
            return x + 1
        with xichan.InterpreterPoolExecutor(2) as pool:
            print(pool.submit(work, 1).result(), list(pool.map(lambda x: work(x), range(3))))
        """
    )
    assert done.stdout == "once\n6 [3, 6, 9]\n"


def test_functions_defined_at_the_prompt_run_in_workers():
    typed = (
        "import xichan\n"
        "pool = xichan.InterpreterPoolExecutor(1)\n"
        "n = 4\n"
        "def work(x):\n"
        "    return x * n\n"
        "\n"
        "pool.submit(work, 2).result()\n"
        "pool.submit(lambda: n + 1).result()\n"
        "pool.shutdown()\n"
    )
    done = subprocess.run(
        [sys.executable, "-i", "-q"], input=typed, env=environment(), capture_output=True, text=True, timeout=90
    )
    assert done.stdout.split() == ["8", "5"], done.stderr
    assert "Error" not in done.stderr
