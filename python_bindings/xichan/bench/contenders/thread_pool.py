"""The standard library's pool of threads."""

from xichan.bench.contenders._pool import Pool


class Contender(Pool):
    name = "thread-pool"
    title = "ThreadPoolExecutor"
    class_name = "ThreadPoolExecutor"
