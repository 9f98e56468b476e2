"""xichan.InterpreterPoolExecutor."""

from xichan.bench.contenders._pool import Pool


class Contender(Pool):
    name = "xichan-pool"
    title = "xichan.InterpreterPoolExecutor"
    module = "xichan"
    class_name = "InterpreterPoolExecutor"
