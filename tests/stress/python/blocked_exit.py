"""Interpreters are finalized while their threads are blocked in calls: all endpoints are released, queued items are
discarded, and nothing crashes.

Only daemon threads can be blocked then, so the interpreters come from the low-level `_interpreters` module. Nothing
else may wake these threads: CPython crashes if a thread re-enters an interpreter that is being finalized.
"""

import _interpreters

from common import assert_released, feed_watchdog, rng, size
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
                tx.send("no receiver is left")
                raise AssertionError("a finalized interpreter still receives")
            except xichan.ChannelClosed:
                pass
        sending.close()
        assert list(rx) == [(number, "text that needs a block")]
        del tx, rx, receiving, sending
        if number % 10 == 0:
            assert_released(before)
            feed_watchdog()
    assert_released(before)
    print(f"blocked_exit: {rounds} interpreters with four blocked threads")


if __name__ == "__main__":
    main()
