"""A dict behind a lock, shared by threads of one interpreter: nothing is copied, but only one thread runs at a time."""

import threading

from xichan.bench.contenders._state import StateContender


class DictLock(StateContender):
    name = "dict-lock"
    title = "a dict behind a lock (threads)"
    place = "threads"
    statements = {
        "look": "with lock: got = table.get(key)",
        "read": "with lock: got = table[key]",
        "write": "with lock: table[key] = value",
        "add": "with lock: counter[0] += 1; got = counter[0]",
        "get": "with lock: got = cell[0]",
    }

    def share(self, entries, value):
        return {"lock": threading.Lock(), "table": dict(entries), "counter": [0], "cell": [value]}

    def state(self, shared):
        return shared
