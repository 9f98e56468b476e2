"""Source and compiled files as tasks. Runs in a worker, each time in a namespace of its own."""

import builtins
import functools
import importlib.util
import io
import marshal
import os

HEADER = 16  # bytes of a .pyc before the code (PEP 552)


def run_string(code, shared):
    return _run(_compile(code), {"__name__": "__main__", **dict(shared)})


def run_path(path, shared):
    names = {"__name__": "__main__", "__file__": path, **dict(shared)}
    with io.open_code(path) as file:
        data = file.read()
    return _run(_unmarshal(data, path) if path.endswith(".pyc") else compile(data, path, "exec"), names)


@functools.lru_cache(32)
def _compile(source):
    return compile(source, "<string>", "exec")


def _unmarshal(data, path):
    magic = importlib.util.MAGIC_NUMBER
    if data[: len(magic)] != magic:
        raise ImportError(f"{os.fspath(path)!r} was not compiled by this version of Python", path=path)
    code = marshal.loads(memoryview(data)[HEADER:])
    if not hasattr(code, "co_code"):
        raise ImportError(f"{os.fspath(path)!r} holds no code", path=path)
    return code


def _run(code, names):
    """Run as a script: with the names of the pool's ``shared`` and of this task. Its ``result``, or None."""
    from .worker import _state

    namespace = {"__builtins__": builtins, **_state.shared, **names}
    exec(code, namespace)
    return namespace.get("result")
