"""Coroutines leave the blocking calls of a Queue to threads; one has failed without task_done().

kind: channel
"""

import asyncio

from support.hangs import report_when_hung

import xichan


def work(queue):
    while True:
        item = queue.get()  # waits
        if item < 0:
            raise ValueError(f"negative: {item}")
        queue.task_done()


def finish(queue):
    queue.join()  # waits


async def main():
    queue = xichan.Queue()
    tasks = [asyncio.create_task(asyncio.to_thread(work, queue)) for _ in range(2)]
    for item in (1, -2, 3):
        queue.put(item)
    await asyncio.to_thread(finish, queue)
    return tasks


report_when_hung()
asyncio.run(main())  # joins
