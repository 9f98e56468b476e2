"""xichan.InterpreterPoolExecutor."""

from xichan.bench.peers._pool import Pool


class Contender(Pool):
    name = "xichan-pool"
    title = "xichan.InterpreterPoolExecutor"
    module = "xichan"
    class_name = "InterpreterPoolExecutor"
