"""xichan.InterpreterPoolExecutor."""

import time

from xichan.bench.contenders._pool import PoolContender


class XichanPool(PoolContender):
    name = "xichan-pool"
    title = "xichan.InterpreterPoolExecutor"
    module = "xichan"
    class_name = "InterpreterPoolExecutor"

    def warm_pool(self, workers):
        import xichan

        pool = xichan.InterpreterPoolExecutor(workers, standby=workers)
        while pool.stats().standby < workers:
            time.sleep(0.001)
        return pool
