"""A plugin that keeps everything it gets, in its own memory and in the arena: all of that goes when it is unloaded."""

import xichan

tx, rx = xichan.channel(capacity=None)
kept = []
for number, payload in events:  # noqa: F821
    kept.append((number, payload, bytes(10_000)))
    tx.send((number, "a text that is long enough to need a block"))
    answers.send(("history", number, len(kept)))  # noqa: F821
