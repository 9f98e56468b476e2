"""Three tasks of a pool wait in a circle: each receives before it sends.

kind: channel
"""

from support.hangs import report_when_hung

import xichan

report_when_hung()


def stage(source, sink):
    with source, sink:
        sink.send(source.recv() + 1)  # waits


channels = [xichan.channel(4, name=name) for name in ("first", "second", "third")]
with xichan.InterpreterPoolExecutor(3) as pool:
    tasks = [pool.submit(stage, channels[i][1], channels[(i + 1) % 3][0]) for i in range(3)]
    for tx, rx in channels:
        tx.close()
        rx.close()
    for task in tasks:
        task.result()  # joins
