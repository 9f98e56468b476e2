"""Pickles for what channels do not take. Imported when there is something to pickle.

Ends and queues stay beside the pickle, so that they travel as in any other message: whoever throws that away, unread,
gives them back.
"""

import io
import pickle

from ._core import Receiver, Sender
from ._queue import Queue


class Pickler(pickle.Pickler):
    def __init__(self, file):
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.beside = []
        self.places = {}

    def persistent_id(self, value):
        if type(value) not in (Sender, Receiver, Queue):
            return None
        if id(value) not in self.places:
            self.places[id(value)] = len(self.beside)
            self.beside.append(value)
        return self.places[id(value)]


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, beside):
        super().__init__(file)
        self.beside = beside

    def persistent_load(self, place):
        return self.beside[place]


def dumps(value, pickler_class=Pickler):
    """Returns (data, beside): a shareable tuple, from which ``loads`` makes the value again."""
    file = io.BytesIO()
    pickler = pickler_class(file)
    pickler.dump(value)
    return file.getvalue(), tuple(pickler.beside)


def loads(data, beside):
    return _Unpickler(io.BytesIO(data), beside).load()
