"""Source and compiled files as tasks. Runs in a worker interpreter, each time in a new namespace."""

from __future__ import annotations

import builtins
import functools
import importlib.util
import io
import marshal
import os
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PYC_HEADER_SIZE = 16  # bytes in front of the code (PEP 552)


def run_string(code: str, shared: tuple[tuple[str, Any], ...]) -> Any:
    """Run source code. Returns the value of the name ``result`` afterwards, or None."""
    return _run(_compile(code), {"__name__": "__main__", **dict(shared)})


def run_path(path: str, shared: tuple[tuple[str, Any], ...]) -> Any:
    """Run a source or .pyc file. Returns the value of the name ``result`` afterwards, or None."""
    names = {"__name__": "__main__", "__file__": path, **dict(shared)}
    with io.open_code(path) as file:
        data = file.read()
    return _run(_unmarshal(data, path) if path.endswith(".pyc") else compile(data, path, "exec"), names)


@functools.lru_cache(32)
def _compile(source: str) -> types.CodeType:
    return compile(source, "<string>", "exec")


def _unmarshal(data: bytes, path: str) -> types.CodeType:
    magic = importlib.util.MAGIC_NUMBER
    if data[: len(magic)] != magic:
        raise ImportError(f"{os.fspath(path)!r} was not compiled by this version of Python", path=path)
    code = marshal.loads(memoryview(data)[PYC_HEADER_SIZE:])
    if not hasattr(code, "co_code"):
        raise ImportError(f"{os.fspath(path)!r} does not contain code", path=path)
    return code


def _run(code: types.CodeType, names: dict[str, Any]) -> Any:
    """Run code with the names of the pool's ``shared`` and of this task."""
    from .worker_results import state

    namespace = {"__builtins__": builtins, **state.shared, **names}
    exec(code, namespace)
    return namespace.get("result")
