"""Targets of the stress program of Workers."""

import asyncio

import xichan


def serve():
    xichan.worker().ready()
    xichan.worker().wait_stop()


async def serve_in_a_loop():
    xichan.worker().ready()
    await xichan.worker().stop()
    await asyncio.sleep(0)


def fail_at_import():
    import no_such_module_exists  # noqa: F401


class FailsToStart:
    def __init__(self):
        raise ValueError("in __init__")


def fail_before_ready():
    raise ValueError("before")


def fail_after_ready():
    xichan.worker().ready()
    raise ValueError("after")


def fail_in_finally():
    try:
        xichan.worker().ready()
    finally:
        raise ValueError("in finally")


def spin():
    xichan.worker().ready()
    while True:
        pass
