"""xichan.InterpreterPoolExecutor."""

from xichan.bench.contenders._pool import PoolContender


class XichanPool(PoolContender):
    name = "xichan-pool"
    title = "xichan.InterpreterPoolExecutor"
    module = "xichan"
    class_name = "InterpreterPoolExecutor"
