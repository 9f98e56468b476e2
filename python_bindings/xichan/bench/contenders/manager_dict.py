"""multiprocessing.Manager().dict(): a dict in a process of its own, which other processes ask for each operation."""

import multiprocessing

from xichan.bench.contenders._state import StateContender


class ManagerDict(StateContender):
    name = "manager-dict"
    title = "multiprocessing.Manager().dict()"
    place = "processes"
    statements = {"look": "got = table.get(key)", "read": "got = table[key]", "write": "table[key] = value"}

    def __init__(self):
        self.managers = {}

    def share(self, entries, value):
        manager = multiprocessing.get_context("fork").Manager()
        table = manager.dict(entries)
        self.managers[id(table)] = manager
        return table

    def release(self, shared):
        self.managers.pop(id(shared)).shutdown()

    def state(self, shared):
        return {"table": shared}
