"""The standard library's pool of processes."""

from xichan.bench.contenders._pool import PoolContender


class ProcessPool(PoolContender):
    name = "process-pool"
    title = "ProcessPoolExecutor"
    class_name = "ProcessPoolExecutor"
