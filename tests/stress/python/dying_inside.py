"""Interpreters end while threads of theirs are blocked in calls: all ends come back, what waits is discarded, no crash.

Only threads that nobody waits for can be inside then, which needs interpreters of the low-level kind. Nothing else may
wake them while their interpreter ends: CPython itself crashes if a thread comes back into it then.
"""

import _interpreters

from common import progress, rng, settle, size
from support import alive, wait_for_blocked

import xichan

INSIDE = """
import threading
for _ in range(2):
    threading.Thread(target=list, args=(rx,), daemon=True).start()
    threading.Thread(target=tx.send, args=(("text that needs a block", spare),), daemon=True).start()
"""


def main():
    rounds = size()
    before = alive()
    for number in range(rounds):
        tx, receiving = xichan.channel(rng.choice((1, 2, 16)))
        sending, rx = xichan.channel(1)
        sending.send((number, "text that needs a block"))
        interp = _interpreters.create(_interpreters.new_config("isolated", allow_daemon_threads=True))
        _interpreters.set___main___attrs(interp, {"rx": receiving, "tx": sending, "spare": xichan.channel(1)[0]})
        _interpreters.exec(interp, INSIDE)
        wait_for_blocked(tx, receivers=2)
        wait_for_blocked(rx, senders=2)
        if number % 2:
            receiving.close()
            sending.close()
        _interpreters.destroy(interp)
        if number % 2:
            try:
                tx.send("to nobody")
                raise AssertionError("a dead interpreter still receives")
            except xichan.ChannelClosed:
                pass
        sending.close()
        assert list(rx) == [(number, "text that needs a block")]
        del tx, rx, receiving, sending
        if number % 10 == 0:
            settle(before)
            progress()
    settle(before)
    print(f"dying_inside: {rounds} interpreters with four threads inside")


if __name__ == "__main__":
    main()
