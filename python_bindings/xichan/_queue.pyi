"""``xichan.Queue``: the interface of ``queue.Queue`` over channels, for every interpreter."""

from types import GenericAlias
from typing import Any, Generic, TypeVar

from ._stats import Stats

_T = TypeVar("_T")

class Queue(Generic[_T]):
    """First in, first out, between the threads of all interpreters: the interface of ``queue.Queue``.

    ``unbounditems`` and ``syncobj`` are those of ``concurrent.interpreters.Queue``: accepted and ignored.
    """

    def __init__(
        self, maxsize: int = 0, *, pickle: bool = False, unbounditems: object = None, syncobj: object = None
    ) -> None: ...
    def put(
        self,
        item: _T,
        block: bool = True,
        timeout: float | None = None,
        *,
        unbounditems: object = None,
        syncobj: object = None,
    ) -> None:
        """Put an item into the queue, waiting while it is full."""
    def get(self, block: bool = True, timeout: float | None = None) -> _T:
        """Take the oldest item out of the queue, waiting while it is empty."""
    def put_nowait(self, item: _T, *, unbounditems: object = None, syncobj: object = None) -> None:
        """Put an item into the queue without waiting, or raise Full."""
    def get_nowait(self) -> _T:
        """Take the oldest item without waiting, or raise Empty."""
    def qsize(self) -> int:
        """How many items are queued now."""
    def empty(self) -> bool:
        """Whether no item is queued now."""
    def full(self) -> bool:
        """Whether ``maxsize`` items are queued now."""
    def task_done(self) -> None:
        """Tell that an item that was got has been dealt with. ValueError if all that were put have been."""
    def join(self) -> None:
        """Wait until ``task_done`` has been called for every item that was put."""
    def shutdown(self, immediate: bool = False) -> None:
        """Close the queue for every handle, in every interpreter; ``immediate``: empty it too."""
    @property
    def maxsize(self) -> int:
        """How many items the queue holds at the most; 0: any number."""
    @property
    def is_shutdown(self) -> bool:
        """The queue has been shut down; it may still hold items."""
    @property
    def unfinished_tasks(self) -> int:
        """How many items were put for which ``task_done`` has not been called."""
    @property
    def id(self) -> int:
        """The same for all handles of a queue, and for no other queue ever."""
    def stats(self) -> Stats:
        """A record of the channel that holds the items, with unfinished (tasks), waiting_joiners, pickled (items)."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
