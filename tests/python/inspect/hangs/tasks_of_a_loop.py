"""All coroutines of an event loop wait for each other.

kind: channel
"""

import asyncio

from support.hangs import report_when_hung

import xichan

report_when_hung()
questions_tx, questions = xichan.channel(name="questions")  # opened
replies_tx, replies = xichan.channel(name="replies")  # opened


async def ask():
    value = await replies.arecv()  # waits
    await questions_tx.asend(value)


async def reply():
    value = await questions.arecv()  # waits
    await replies_tx.asend(value)


async def main():
    await asyncio.gather(ask(), reply())


asyncio.run(main())
