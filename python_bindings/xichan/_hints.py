"""Hints for usual mistakes. Imported when one is made."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from types import ModuleType
    from typing import Any

_CHANNEL = "call channel(), which returns a Sender and a Receiver"
_POOL = "use InterpreterPoolExecutor"
_INTERPRETERS = "interpreters come from concurrent.interpreters, or with InterpreterPoolExecutor"

# Names from queue, asyncio, multiprocessing, concurrent, trio, anyio and Go.
_NAMES = {
    "Channel": _CHANNEL,
    "Pipe": _CHANNEL,
    "create_channel": _CHANNEL,
    "make_channel": _CHANNEL,
    "open_memory_channel": _CHANNEL,
    "create_memory_object_stream": _CHANNEL,
    "SimpleQueue": "use Queue",
    "JoinableQueue": "use Queue",
    "create_queue": "use Queue",
    "Pool": _POOL,
    "InterpreterPool": _POOL,
    "ProcessPoolExecutor": _POOL,
    "ThreadPoolExecutor": _POOL,
    "Process": _POOL,
    "create": _INTERPRETERS,
    "Interpreter": _INTERPRETERS,
    "Closed": "use ChannelClosed",
    "ShutDown": "use ChannelClosed",
    "QueueShutDown": "use ChannelClosed",
    "Empty": "use ChannelEmpty",
    "QueueEmpty": "use ChannelEmpty",
    "Full": "use ChannelFull",
    "QueueFull": "use ChannelFull",
    "Timeout": "use ChannelTimeout",
}

_QUEUE_NAMES = {
    "send": "use put()",
    "send_nowait": "use put_nowait()",
    "recv": "use get()",
    "recv_nowait": "use get_nowait()",
    "close": "use shutdown()",
    "closed": "use is_shutdown",
    "capacity": "use maxsize",
}

# Methods of multiprocessing.Pool.
_POOL_NAMES = {
    "apply": "use submit(...).result()",
    "apply_async": "use submit()",
    "map_async": "use map(), which submits all calls before it returns",
    "imap": "use map(..., buffersize=n)",
    "imap_unordered": "use submit() and concurrent.futures.as_completed()",
    "starmap": "use map(fn, *zip(*calls))",
    "starmap_async": "use map(fn, *zip(*calls))",
    "close": "use shutdown(wait=False)",
    "join": "use shutdown()",
    "terminate": "use shutdown(wait=False, cancel_futures=True), which lets tasks that run complete",
}

# Parameters as other libraries call them. Those of channel() are in base/arguments.cpp.
_QUEUE_KEYWORDS = dict.fromkeys(
    ("capacity", "size", "max_size", "maxlen", "max_buffer_size", "buffer_size"), "use 'maxsize'"
)
_POOL_KEYWORDS = {
    **dict.fromkeys(("processes", "workers", "num_workers", "n_workers", "n_jobs", "threads"), "use 'max_workers'"),
    **dict.fromkeys(("maxtasksperchild", "max_tasks_per_child"), "use 'restart_after'"),
    "mp_context": "workers are interpreters of this process, without a start method",
}

_MAX_NAMES = 5  # of functions in a note


def missing_name(module: ModuleType, name: str) -> AttributeError:
    """Return the exception for a name that the package does not have."""
    hint = _NAMES.get(name)
    message = f"module {module.__name__!r} has no attribute {name!r}"
    # With the name and the object, CPython suggests similar names.
    return AttributeError(f"{message}; {hint}" if hint else message, name=name, obj=module)


def missing_queue_name(queue: object, name: str) -> AttributeError:
    """Return the exception for an attribute that a Queue does not have."""
    return _missing_attribute(queue, name, _QUEUE_NAMES)


def missing_pool_name(pool: object, name: str) -> AttributeError:
    """Return the exception for an attribute that an InterpreterPoolExecutor does not have."""
    return _missing_attribute(pool, name, _POOL_NAMES)


def _missing_attribute(owner: object, name: str, hints: dict[str, str]) -> AttributeError:
    hint = hints.get(name)
    message = f"{type(owner).__name__!r} object has no attribute {name!r}"
    return AttributeError(f"{message}; {hint}" if hint else message, name=name, obj=owner)


def unexpected_queue_keyword(init: Callable[..., None], keywords: Collection[str]) -> TypeError:
    """Return the exception for keyword arguments that Queue() does not have."""
    return _unexpected_keyword(init, keywords, _QUEUE_KEYWORDS)


def unexpected_pool_keyword(init: Callable[..., None], keywords: Collection[str]) -> TypeError:
    """Return the exception for keyword arguments that InterpreterPoolExecutor() does not have."""
    return _unexpected_keyword(init, keywords, _POOL_KEYWORDS)


def _unexpected_keyword(init: Any, keywords: Collection[str], hints: Mapping[str, str]) -> TypeError:
    import difflib

    keyword = next(iter(keywords))
    message = f"{init.__qualname__}() got an unexpected keyword argument {keyword!r}"
    code = init.__code__
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    if keyword in hints:
        message += f"; {hints[keyword]}"
    elif similar := difflib.get_close_matches(keyword, names, 1):  # as CPython does for other functions
        message += f". Did you mean {similar[0]!r}?"
    return TypeError(message)


def note_interrupted_wait(error: BaseException, call: str, capacity: int, queued: int, peers: int) -> None:
    """Add a note to a KeyboardInterrupt that ended a blocked call: what it waited for, and what would end the wait.

    call: "send" or "recv". queued: values in the channel. peers: open endpoints of the other side, in all interpreters.
    """
    other, action = ("Receiver", "recv") if call == "send" else ("Sender", "send")
    found = f"{peers} {other} is open" if peers == 1 else f"{peers} {other}s are open"
    if capacity == 0:
        text = (
            f"{call}() was waiting: capacity is 0, so it needs a {action}() in another thread or interpreter; {found}"
        )
    elif call == "send":
        text = f"{call}() was waiting: the channel is full, with {queued} value{'s'[: queued != 1]} queued; {found}"
    else:
        text = (
            f"{call}() was waiting: the channel is empty; {found}, and the wait ends when a value arrives or each is "
        )
        text += "closed: close() those that send no more"
    if _runs_event_loop():
        text += f". An event loop runs in this thread: use `await` with a{call}()"
    error.add_note(text)


def note_interrupted_shutdown(error: BaseException, names: Collection[str], workers: int) -> None:
    """Add a note to a KeyboardInterrupt that ended the wait for a pool. names: of the functions of unfinished tasks."""
    if not names:
        error.add_note("shutdown() was waiting for the workers and callbacks of the pool to end")
        return
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    listed = ", ".join(f"{name} ({count})" for name, count in list(counts.items())[:_MAX_NAMES])
    error.add_note(
        f"shutdown() was waiting for {len(names)} task{'s'[: len(names) != 1]} in {workers} "
        f"worker{'s'[: workers != 1]} to return: {listed}{', ...' if len(counts) > _MAX_NAMES else ''}. A task that "
        "blocks in a channel ends when its other side is closed"
    )


def _runs_event_loop() -> bool:
    events = sys.modules.get("asyncio.events")
    return events is not None and events._get_running_loop() is not None
