"""The standard library's pool of processes."""

from xichan.bench.contenders._pool import Pool


class Contender(Pool):
    name = "process-pool"
    title = "ProcessPoolExecutor"
    class_name = "ProcessPoolExecutor"
