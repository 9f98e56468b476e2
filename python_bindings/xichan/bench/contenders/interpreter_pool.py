"""The standard library's pool of interpreters."""

from xichan.bench.contenders._pool import Pool


class Contender(Pool):
    name = "interpreter-pool"
    title = "InterpreterPoolExecutor"
    class_name = "InterpreterPoolExecutor"
