"""The standard library's pool of threads."""

from xichan.bench.contenders._pool import PoolContender


class ThreadPool(PoolContender):
    name = "thread-pool"
    title = "ThreadPoolExecutor"
    class_name = "ThreadPoolExecutor"
