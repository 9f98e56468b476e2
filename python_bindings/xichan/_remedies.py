"""What to send in place of a value that is not shareable. Imported when one is refused.

A remedy completes the sentence "``value[1]``: ``socket.socket`` is not shareable; ...". Classes are looked up by name
along the base classes of the object, so no module is imported to recognize its types; and never by
``isinstance()``, which believes a proxy.
"""

from __future__ import annotations

import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_REGISTER = "register its class with xichan.register()"
_FUNCTION = "send its name, or pass it to a worker of an InterpreterPoolExecutor"
_LOCK = "it guards the threads of one interpreter; send a value through a channel of capacity 1 instead"
_EVENT = "it reaches the threads of one interpreter; send a value through a channel instead"
_LOCAL = "it belongs to one interpreter; create it in the interpreter that uses it"
_TASK = "it belongs to an event loop; send its result"
_ITEMS = "send each item with asend(), in an async for"
_REMOTE = "send its name; the receiver joins the channel with hub.sender(name) or hub.receiver(name)"
_FRAME = "send it as an Arrow IPC or Parquet file in bytes, or its columns as arrays"

# By the name of the class or of one of its bases.
_CLASSES = {
    "socket.socket": "send xichan.descriptor(sock)",
    "_socket.socket": "send xichan.descriptor(sock)",
    "asyncio.trsock.TransportSocket": "send xichan.descriptor(sock)",
    "ssl.SSLSocket": "send the data, or xichan.descriptor() of the socket before wrap_socket()",
    "_io.BytesIO": "send its getvalue()",
    "_io.StringIO": "send its getvalue()",
    "_io._IOBase": "send its path, or xichan.descriptor(file)",
    "_io.FileIO": "send its path, or xichan.descriptor(file)",
    "multiprocessing.connection._ConnectionBase": "send xichan.descriptor(connection)",
    "tempfile._TemporaryFileWrapper": "send its name, which is the path",
    "mmap.mmap": "send its content, as bytes or xichan.share(...)",
    "multiprocessing.shared_memory.SharedMemory": "send its name",
    "multiprocessing.queues.Queue": "send a xichan.Queue",
    "queue.Queue": "send a xichan.Queue",
    "_queue.SimpleQueue": "send a xichan.Queue",
    "asyncio.queues.Queue": "send a xichan.Queue, or an endpoint of a channel, which has asend() and arecv()",
    "_asyncio.Future": _TASK,
    "_asyncio.Task": _TASK,
    "asyncio.futures.Future": _TASK,
    "concurrent.futures._base.Future": "send its result()",
    "asyncio.events.AbstractEventLoop": _LOCAL,
    "asyncio.mixins._LoopBoundMixin": "it belongs to an event loop; use a channel, which has asend() and arecv()",
    "asyncio.streams.StreamReader": "send the data that is read from it",
    "asyncio.streams.StreamWriter": "send the data that is to be written to it",
    "concurrent.futures._base.Executor": "submit in the interpreter that owns it; send it requests through a channel",
    "_thread.lock": _LOCK,
    "_thread.RLock": _LOCK,
    "threading.Condition": _LOCK,
    "threading.Semaphore": _LOCK,
    "threading.Barrier": _EVENT,
    "threading.Event": _EVENT,
    "threading.Thread": "send what the thread works on",
    "_thread._local": _LOCAL,
    "_thread._ThreadHandle": _LOCAL,
    "_contextvars.Context": "send the values of its variables",
    "_contextvars.ContextVar": "send its value, from get()",
    "_contextvars.Token": "send its old_value",
    "logging.Logger": "send its name; logging.getLogger(name) finds it in the receiver",
    "logging.Handler": "put records into a xichan.Queue with logging.handlers.QueueHandler",
    "sqlite3.Connection": "send the path of the database",
    "sqlite3.Cursor": "send its fetchall()",
    "sqlite3.Row": "send tuple(row), or dict(row)",
    "subprocess.Popen": "send its pid",
    "_random.Random": "send a seed, or its getstate()",
    "re.Pattern": "send its pattern and flags; re.compile() caches the result",
    "re.Match": "send its groups()",
    "_struct.Struct": "send its format",
    "string.templatelib.Template": "send its strings and values",
    "weakref.ReferenceType": "send the object that it refers to",
    "weakref.ProxyType": "send the object that it refers to",
    "weakref.CallableProxyType": "send the object that it refers to",
    "weakref.WeakKeyDictionary": "send dict(...) of it",
    "weakref.WeakValueDictionary": "send dict(...) of it",
    "_weakrefset.WeakSet": "send set(...) of it",
    "collections.ChainMap": "send dict(...) of it",
    "collections.UserDict": "send its data",
    "collections.UserList": "send its data",
    "collections.UserString": "send its data",
    "functools.partial": _FUNCTION,
    "functools._lru_cache_wrapper": _FUNCTION,
    "operator.itemgetter": _FUNCTION,
    "operator.attrgetter": _FUNCTION,
    "operator.methodcaller": _FUNCTION,
    "xml.etree.ElementTree.Element": "send xml.etree.ElementTree.tostring() of it",
    "email.message.Message": "send its as_bytes()",
    "xichan.Client": "send a clone() of its Sender",
    "xichan.nats.Sender": _REMOTE,
    "xichan.nats.Receiver": _REMOTE,
    "xichan.nats.Hub": "send the URL of its server; the receiver calls xichan.nats.connect()",
    "xichan.nats.Lease": "send its value, and acknowledge it where it was received",
    "xichan.nats.Bridge": _LOCAL,
    "pandas.DataFrame": f"{_FRAME}: df.to_dict('list')",
    "pandas.core.frame.DataFrame": f"{_FRAME}: df.to_dict('list')",
    "pandas.Series": "send its to_numpy()",
    "pandas.core.series.Series": "send its to_numpy()",
    "pandas.core.indexes.base.Index": "send its to_numpy()",
    "polars.dataframe.frame.DataFrame": f"{_FRAME}: df.to_dict(as_series=False)",
    "polars.lazyframe.frame.LazyFrame": f"collect() it, and {_FRAME}",
    "polars.series.series.Series": "send its to_numpy()",
    "pyarrow.lib.Table": "send it as Arrow IPC in bytes: pyarrow.ipc.new_stream()",
    "pyarrow.lib.RecordBatch": "send it as Arrow IPC in bytes: its serialize()",
    "pyarrow.lib.Array": "send its to_numpy() or to_pylist()",
    "torch.Tensor": "send its numpy(), after detach().cpu()",
    "torch._tensor.Tensor": "send its numpy(), after detach().cpu()",
    "PIL.Image.Image": "send its tobytes(), mode and size",
    "numpy.ndarray": "send numpy.asarray() of it",
    "numpy.generic": "send its item()",
    "numpy.dtype": "send its str",
    "numpy.ufunc": "send its __name__",
    "numpy.random._generator.Generator": "send a seed, or its bit_generator.state",
    "pydantic.main.BaseModel": f"{_REGISTER}, encode=lambda model: model.model_dump()",
    "msgspec.Struct": f"{_REGISTER}, encode=msgspec.to_builtins",
    "msgspec._core.Struct": f"{_REGISTER}, encode=msgspec.to_builtins",
    "google.protobuf.message.Message": "send its SerializeToString()",
}

_FUNCTIONS: tuple[type, ...] = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.ClassMethodDescriptorType,
)

# Built-in types whose subclasses are refused, so that none arrives as a plain value. Calling the type converts.
_PLAIN = (str, bytes, bytearray, int, float, complex, tuple, list, dict, set, frozenset)


def remedy(obj: object) -> str:
    """Return what to do about an object that is not shareable; "" for a damaged object of this package."""
    if _full_name(type(obj)) == "xichan.Queue":
        return ""
    for find in (_remedy_of_class, _remedy_of_function, _remedy_of_buffer, _remedy_by_base, _remedy_by_interface):
        found = find(obj)
        if found:
            return found
    return _REGISTER


def _remedy_of_class(obj: Any) -> str | None:
    if issubclass(type(obj), type):
        return "send its name; the receiver imports it"
    if issubclass(type(obj), types.GenericAlias):
        return "send the name of its origin"
    return None


def _remedy_of_function(obj: Any) -> str | None:
    if issubclass(type(obj), types.ModuleType):
        return "send its name; the receiver imports it"
    if issubclass(type(obj), _FUNCTIONS):
        return _FUNCTION
    if issubclass(type(obj), types.CodeType):
        return "send marshal.dumps() of it"
    if issubclass(type(obj), (types.TracebackType, types.FrameType)):
        return "send its text, from traceback.format_tb() or format_stack()"
    if issubclass(type(obj), types.GeneratorType):
        return "send list(...) of it, or each item with send_many()"
    if issubclass(type(obj), types.CoroutineType):
        return "await it, and send the result"
    if issubclass(type(obj), types.AsyncGeneratorType):
        return _ITEMS
    if obj is NotImplemented:
        return "send None, or a str that stands for it"
    if issubclass(type(obj), types.MappingProxyType):
        return "send dict(...) of it"
    return None


def _remedy_of_buffer(obj: Any) -> str | None:
    if type(obj) is memoryview:
        return "send its tobytes(); only contiguous memoryviews are shareable"
    name = _full_name(type(obj))
    if name == "numpy.ndarray":
        if obj.dtype.hasobject:
            return "send its tolist(), or convert it to a dtype without objects with astype()"
        return "send numpy.ascontiguousarray() of it"
    if name.startswith("numpy.ma."):
        return "send its data and mask"
    return None


def _remedy_by_base(obj: Any) -> str | None:
    cls = type(obj)
    for base in cls.__mro__:
        found = _CLASSES.get(_full_name(base))
        if found:
            return found
    if "__attrs_attrs__" in vars(cls):
        return f"{_REGISTER}, encode=attrs.asdict"
    for base in cls.__mro__[1:]:
        if base in _PLAIN:
            return f"convert it with {base.__name__}(...), or {_REGISTER}"
    return None


def _remedy_by_interface(obj: Any) -> str | None:
    cls = type(obj)
    if hasattr(cls, "__next__"):
        return "send list(...) of it, or each item with send_many()"
    if hasattr(cls, "__anext__"):
        return _ITEMS
    if hasattr(cls, "__await__"):
        return "await it, and send the result"
    if cls.__module__ == "builtins" and cls.__name__ in ("dict_keys", "dict_values", "dict_items"):
        return "send list(...) of it"
    if hasattr(cls, "__buffer__"):
        return "send xichan.share(...) of it, or bytes(...)"
    if cls is object:
        return "send a str or an int that stands for it"
    return None


def _full_name(cls: Callable[..., Any]) -> str:
    module = cls.__module__
    return f"{module}.{cls.__qualname__}" if isinstance(module, str) else cls.__qualname__
