"""Pickles of values that channels do not accept. Imported when there is something to pickle.

Endpoints and queues are kept outside the pickle and travel as in any other message: if the message is discarded unread,
they are released.
"""

from __future__ import annotations

import io
import pickle

from ._core import Receiver, Sender
from ._queue import Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO


class Pickler(pickle.Pickler):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.external: list[Any] = []
        self.indexes: dict[int, int] = {}

    def persistent_id(self, value: Any) -> int | None:
        if type(value) not in (Sender, Receiver, Queue):
            return None
        if id(value) not in self.indexes:
            self.indexes[id(value)] = len(self.external)
            self.external.append(value)
        return self.indexes[id(value)]


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, external: tuple[Any, ...]) -> None:
        super().__init__(file)
        self.external = external

    def persistent_load(self, index: int) -> Any:
        return self.external[index]


def dumps(value: object, pickler_class: type[Pickler] = Pickler) -> tuple[bytes, tuple[Any, ...]]:
    """Return (data, external), a shareable tuple; ``loads(*result)`` is a copy of the value."""
    file = io.BytesIO()
    pickler = pickler_class(file)
    pickler.dump(value)
    return file.getvalue(), tuple(pickler.external)


def loads(data: bytes, external: tuple[Any, ...]) -> Any:
    """Return a copy of the value that ``dumps()`` pickled."""
    return _Unpickler(io.BytesIO(data), external).load()
