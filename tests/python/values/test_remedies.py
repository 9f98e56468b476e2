"""Refused values: the message names what to send instead."""

import asyncio
import collections
import concurrent.futures
import contextvars
import functools
import io
import logging
import queue
import random
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import types
import weakref

import pytest

import xichan
from xichan._remedies import remedy


class Plain:
    pass


class Text(str):
    pass


class Mapping(dict):
    pass


class Iterator:
    def __iter__(self):
        return self

    def __next__(self):
        raise StopIteration


def generate():
    yield 1


async def coroutine():
    pass


async def generate_async():
    yield 1


def fake(name, bases=(), **attributes):
    """Return an instance of a class of this full name, as an absent package would define it."""
    module, _, short = name.rpartition(".")
    return type(short, bases, {"__module__": module, **attributes})()


REFUSED = {
    "file": (lambda: open(__file__), "send its path, or xichan.descriptor(file)"),
    "binary file": (lambda: open(__file__, "rb"), "send its path, or xichan.descriptor(file)"),
    "raw file": (lambda: open(__file__, "rb", buffering=0), "send its path, or xichan.descriptor(file)"),
    "temporary file": (tempfile.NamedTemporaryFile, "send its name"),
    "StringIO": (io.StringIO, "send its getvalue()"),
    "BytesIO": (io.BytesIO, "send its getvalue()"),
    "socket": (socket.socket, "send xichan.descriptor(sock)"),
    "generator": (generate, "send list(...) of it, or each item with send_many()"),
    "generator expression": (lambda: (i for i in ()), "send_many()"),
    "iterator": (Iterator, "send_many()"),
    "list iterator": (lambda: iter([]), "send_many()"),
    "map": (lambda: map(len, ()), "send_many()"),
    "lock": (threading.Lock, "channel of capacity 1"),
    "RLock": (threading.RLock, "channel of capacity 1"),
    "condition": (threading.Condition, "channel of capacity 1"),
    "semaphore": (threading.BoundedSemaphore, "channel of capacity 1"),
    "event": (threading.Event, "send a value through a channel instead"),
    "barrier": (lambda: threading.Barrier(1), "send a value through a channel instead"),
    "thread": (threading.Thread, "send what the thread works on"),
    "thread local": (threading.local, "create it in the interpreter that uses it"),
    "module": (lambda: io, "send its name; the receiver imports it"),
    "function": (lambda: generate, "send its name, or pass it to a worker"),
    "lambda": (lambda: lambda: 0, "pass it to a worker"),
    "builtin function": (lambda: len, "pass it to a worker"),
    "method": (lambda: Plain().__init__, "pass it to a worker"),
    "partial": (lambda: functools.partial(len), "pass it to a worker"),
    "cached function": (lambda: functools.lru_cache(len), "pass it to a worker"),
    "class": (lambda: Plain, "send its name; the receiver imports it"),
    "alias": (lambda: list[int], "send the name of its origin"),
    "code": (lambda: generate.__code__, "marshal.dumps()"),
    "weak reference": (lambda: weakref.ref(Plain), "send the object that it refers to"),
    "weak proxy": (lambda: weakref.proxy(sys), "send the object that it refers to"),
    "weak set": (weakref.WeakSet, "send set(...) of it"),
    "async generator": (generate_async, "send each item with asend(), in an async for"),
    "async iterator": (lambda: fake("app.Rows", __anext__=None), "send each item with asend(), in an async for"),
    "awaitable": (lambda: fake("app.Reply", __await__=None), "await it, and send the result"),
    "NotImplemented": (lambda: NotImplemented, "send None, or a str that stands for it"),
    "subclass of str": (Text, "convert it with str(...), or register its class with xichan.register()"),
    "subclass of dict": (Mapping, "convert it with dict(...), or register its class with xichan.register()"),
    "plain object": (Plain, "register its class with xichan.register()"),
    "bare object": (object, "send a str or an int that stands for it"),
    "logger": (lambda: logging.getLogger("x"), "send its name; logging.getLogger(name)"),
    "handler": (logging.NullHandler, "QueueHandler"),
    "asyncio queue": (asyncio.Queue, "send a xichan.Queue"),
    "asyncio event": (asyncio.Event, "it belongs to an event loop"),
    "asyncio lock": (asyncio.Lock, "it belongs to an event loop"),
    "queue": (queue.Queue, "send a xichan.Queue"),
    "simple queue": (queue.SimpleQueue, "send a xichan.Queue"),
    "future": (concurrent.futures.Future, "send its result()"),
    "executor": (concurrent.futures.ThreadPoolExecutor, "send it requests through a channel"),
    "context": (contextvars.Context, "send the values of its variables"),
    "connection": (lambda: sqlite3.connect(":memory:"), "send the path of the database"),
    "cursor": (lambda: sqlite3.connect(":memory:").cursor(), "send its fetchall()"),
    "random": (random.Random, "send a seed"),
    "pattern": (lambda: re.compile("x"), "send its pattern and flags"),
    "match": (lambda: re.match("x", "x"), "send its groups()"),
    "mapping proxy": (lambda: types.MappingProxyType({}), "send dict(...) of it"),
    "dict keys": (lambda: {}.keys(), "send list(...) of it"),
    "UserDict": (collections.UserDict, "send its data"),
    "ChainMap": (collections.ChainMap, "send dict(...) of it"),
    "memoryview with steps": (lambda: memoryview(bytes(8))[::2], "send its tobytes()"),
    "pandas frame": (lambda: fake("pandas.core.frame.DataFrame"), "Parquet"),
    "pandas series": (lambda: fake("pandas.core.series.Series"), "send its to_numpy()"),
    "polars frame": (lambda: fake("polars.dataframe.frame.DataFrame"), "Arrow IPC"),
    "torch tensor": (lambda: fake("torch.Tensor"), "send its numpy(), after detach().cpu()"),
    "msgspec": (lambda: fake("msgspec.Struct"), "xichan.register(), encode=msgspec.to_builtins"),
    "pydantic": (lambda: fake("pydantic.main.BaseModel"), "register its class with xichan.register()"),
    "attrs": (lambda: fake("app.Order", __attrs_attrs__=()), "xichan.register(), encode=attrs.asdict"),
    "protobuf": (lambda: fake("google.protobuf.message.Message"), "SerializeToString()"),
    "numpy objects": (
        lambda: fake("numpy.ndarray", dtype=types.SimpleNamespace(hasobject=True)), "send its tolist()",
    ),
    "numpy with steps": (
        lambda: fake("numpy.ndarray", dtype=types.SimpleNamespace(hasobject=False)), "numpy.ascontiguousarray()",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "expected"), REFUSED.values(), ids=REFUSED)
def test_remedy_names_what_to_send_instead(make, expected):
    assert expected in remedy(make())


def test_remedy_of_a_subclass_is_that_of_its_base():
    base = type(fake("pydantic.main.BaseModel"))
    assert remedy(type("Order", (base,), {"__module__": "app"})()) == remedy(base())


def test_coroutine_and_process_have_a_remedy():
    one = coroutine()
    assert remedy(one) == "await it, and send the result"
    one.close()
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        assert remedy(process) == "send its pid"


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_names_place_type_and_remedy(name):
    value = REFUSED[name][0]()
    cls = type(value)
    full_name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    tx, rx = xichan.channel()
    for sent, path in (((1, value), "value[1]"), ({"when": [value]}, "value['when'][0]"), (value, "value")):
        with pytest.raises(xichan.NotShareableError) as caught:
            tx.send(sent)
        assert str(caught.value).startswith(f"{path}: {full_name} is not shareable; ")
        assert REFUSED[name][1] in str(caught.value)
        assert caught.value.path == path and caught.value.item is value
    assert len(rx) == 0
    tx.send(1)


def test_hostile_object_is_refused_without_another_error():
    class Hostile:
        __module__ = 5

        def __getattr__(self, name):
            raise RuntimeError(name)

    tx, _ = xichan.channel()
    with pytest.raises(xichan.NotShareableError):
        tx.send([Hostile()])
