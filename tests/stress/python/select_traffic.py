"""select() over 8 channels between 4 interpreters: each message is received once, and ready cases are chosen fairly.

Two interpreters send and two receive, each with select() over the same 8 channels. A turn counts for fairness if all
eight cases were ready before it.
"""

import time

from common import assert_released, feed_watchdog, receive_result, size
from support import alive, execute, interpreter

import xichan

CHANNELS = 8

SEND = """
import xichan
with stop:
    for i in range(first, first + number):
        xichan.select([(tx, (i, "text that needs a block") if i % 8 == 0 else i) for tx in ends])
for tx in ends:
    tx.close()
"""

RECEIVE = f"""
import xichan
seen, turns = bytearray(total // 8 + 1), [0] * {CHANNELS}
cases = list(ends)
while cases:
    all_ready = len(cases) == {CHANNELS} and all(map(len, ends))
    try:
        case, value = xichan.select(cases)
    except xichan.ChannelClosed as error:
        cases.remove(error.case)
        continue
    i = value[0] if type(value) is tuple else value
    assert not seen[i >> 3] >> (i & 7) & 1, f"received twice: {{i}}"
    seen[i >> 3] |= 1 << (i & 7)
    if all_ready:
        turns[ends.index(case)] += 1
results.send((bytes(seen), tuple(turns)))
"""


def main():
    number = size() // 2
    before = alive()
    txs, rxs = zip(*(xichan.channel(16) for _ in range(CHANNELS)), strict=True)
    results_tx, results = xichan.channel(2)
    stop_tx, stopped = xichan.channel(1)  # closed when both senders are done
    start = time.perf_counter()
    with interpreter() as a, interpreter() as b, interpreter() as c, interpreter() as d:
        calls = []
        for interp in (a, b):
            interp.prepare_main(ends=rxs, results=results_tx, total=2 * number)
            calls.append(execute(interp, RECEIVE))
        for k, interp in enumerate((c, d)):
            interp.prepare_main(ends=txs, stop=stop_tx, first=k * number, number=number)
            calls.append(execute(interp, SEND))
        for end in (*txs, *rxs, results_tx, stop_tx):
            end.close()
        seen, turns = bytearray(2 * number // 8 + 1), [0] * CHANNELS
        last = -1
        while True:
            try:
                stopped.recv(timeout=5)
            except xichan.ChannelTimeout:
                sent = sum(one.sent for one in xichan.channels())
                if sent != last:  # otherwise the watchdog fires
                    last = sent
                    feed_watchdog()
                for call in calls:
                    if not call.is_alive():
                        call.result()
            except xichan.ChannelClosed:
                break
        for _ in range(2):
            theirs, counts = receive_result(results, calls)
            for place, bits in enumerate(theirs):
                assert not seen[place] & bits, "received by both receivers"
                seen[place] |= bits
            turns = [mine + more for mine, more in zip(turns, counts, strict=True)]
        for call in calls:
            call.result()
    took = time.perf_counter() - start
    received = sum(byte.bit_count() for byte in seen)
    assert received == 2 * number, f"{received} received of {2 * number}"
    share = sum(turns) / CHANNELS
    assert sum(turns) < 1000 or min(turns) >= share / 2, turns
    del txs, rxs, results, results_tx, stop_tx, stopped, calls, call, end, interp, a, b, c, d
    assert_released(before)
    least = min(turns) / share if share else 1
    print(
        f"select_traffic: {received} messages over {CHANNELS} channels, each once, {took:.1f} s; "
        f"{sum(turns)} turns with all ready, least share {least:.2f} of the mean"
    )


if __name__ == "__main__":
    main()
