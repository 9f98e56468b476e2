"""Base class of what keeps state that workers share: a table, a counter and a single value."""

from xichan.bench.contenders import Contender


class StateContender(Contender):
    """The statements are source text, as a user writes them, over what `state` returns.

    look   got = the value of `key` in the table, which may be missing
    read   got = the value of `key` in the table
    write  the value of `key` in the table = `value`
    add    add 1 to the counter; got = its new value
    get    got = the single value
    """

    group = "state"
    statements: dict = {}

    def share(self, entries, value):
        """In the host: return shared state with these entries, a counter of 0, and the single value."""
        raise NotImplementedError

    def release(self, shared):
        """In the host: release what share() returned."""

    def state(self, shared):
        """In a worker: return the names that the statements use, as a dict."""
        raise NotImplementedError
