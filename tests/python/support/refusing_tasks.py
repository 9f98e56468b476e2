"""Tasks that load modules which workers refuse. Each test writes a module ``swallowing``, which goes on without one."""

import xichan

from .pool_tasks import interpreter_id


def is_fast(*_):
    import swallowing

    return swallowing.fast, interpreter_id()


def where(*_):
    return interpreter_id()


def apply(function):
    return function()


def raises(*_):
    import readline  # noqa: F401


def swallows_one_and_raises_another():
    is_fast()
    raises()


def swallow_and_wait():
    is_fast()
    xichan.worker().ready()
    xichan.worker().wait_stop()
