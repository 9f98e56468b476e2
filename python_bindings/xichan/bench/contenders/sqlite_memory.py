"""A table of sqlite3 in memory, in a cache that the connections of all interpreters share.

Connections read uncommitted rows, so that readers wait for no writer: each row is one value here. A writer that finds
the table locked tries again, because a shared cache has no timeout. shelve takes no part: its files have one writer.
"""

import itertools
import sqlite3

from xichan.bench.contenders._state import StateContender

READ = "SELECT value FROM entries WHERE key = ?"
WRITE = "INSERT OR REPLACE INTO entries VALUES (?, ?)"
numbers = itertools.count()


class SqliteMemory(StateContender):
    name = "sqlite-memory"
    title = "sqlite3 in memory"
    module = "sqlite3"
    statements = dict.fromkeys(("look", "read"), f"got = execute({READ!r}, (key,)).fetchone()[0]") | {
        "write": "write(key, value)"
    }

    def __init__(self):
        self.connections = {}

    def version(self):
        return sqlite3.sqlite_version

    def share(self, entries, value):
        name = f"file:xichan-bench-{next(numbers)}?mode=memory&cache=shared"
        connection = self._connect(name)  # keeps the table alive
        connection.execute("CREATE TABLE entries (key INTEGER PRIMARY KEY, value)")
        connection.executemany(WRITE, entries.items())
        return name

    def release(self, shared):
        self.connections.pop(shared).close()

    def state(self, shared):
        execute = self._connect(shared).execute

        def write(key, value):
            while True:
                try:
                    return execute(WRITE, (key, value))
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_LOCKED:
                        raise

        return {"execute": execute, "write": write}

    def finish(self):
        for connection in self.connections.values():
            connection.close()
        self.connections.clear()

    def _connect(self, name):
        connection = sqlite3.connect(name, uri=True, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA read_uncommitted = 1")
        self.connections[name] = connection
        return connection
