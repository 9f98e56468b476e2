"""xichan.Map, AtomicInt and Cell between interpreters."""

import xichan
from xichan.bench.contenders._state import StateContender


class XichanState(StateContender):
    name = "xichan-state"
    title = "xichan.Map, AtomicInt, Cell"
    module = "xichan"
    package = "xichan"
    statements = {
        "look": "got = table.get(key)",
        "read": "got = table[key]",
        "write": "table[key] = value",
        "add": "got = counter.add(1)",
        "get": "got = cell.get()",
    }

    def version(self):
        return xichan.__version__

    def share(self, entries, value):
        table = xichan.Map()
        table.set_many(entries)
        return table, xichan.AtomicInt(), xichan.Cell(value)

    def state(self, shared):
        return dict(zip(("table", "counter", "cell"), shared, strict=True))
