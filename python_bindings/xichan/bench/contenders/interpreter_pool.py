"""The standard library's pool of interpreters."""

from xichan.bench.contenders._pool import PoolContender


class InterpreterPool(PoolContender):
    name = "interpreter-pool"
    title = "InterpreterPoolExecutor"
    class_name = "InterpreterPoolExecutor"
