"""Context variables that workers find, and tasks that read them."""

import asyncio
import contextvars

request = contextvars.ContextVar("the request", default="none")
user = contextvars.ContextVar("user")
hidden = {"variable": contextvars.ContextVar("hidden")}  # not a global


def read():
    return request.get(), user.get(None)


def read_with(value):
    return value, request.get()


async def read_later():
    await asyncio.sleep(0)
    return await asyncio.create_task(_read_in_a_task())


async def _read_in_a_task():
    return request.get(), user.get(None)


def set_and_read(value):
    before = request.get()
    request.set(value)
    return before, request.get()


def report(tx):
    tx.send(read())


async def report_later(tx):
    tx.send(await read_later())
