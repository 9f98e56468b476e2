"""A plugin that keeps all events in its own memory and in the arena. Unloading it releases both."""

import xichan

tx, rx = xichan.channel(capacity=None)
kept = []
for number, payload in events:  # noqa: F821
    kept.append((number, payload, bytes(10_000)))
    tx.send((number, "a text that is long enough to need a block"))
    replies.send(("history", number, len(kept)))  # noqa: F821
