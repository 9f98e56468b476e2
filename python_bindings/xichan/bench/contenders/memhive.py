"""memhive: workers that receive objects from a hive."""

from xichan.bench.contenders import Contender, Unavailable


class Memhive(Contender):
    name = "memhive"
    title = "memhive"
    module = "memhive"
    package = "memhive"
    why_missing = "its only release on PyPI, 0.0.1, does not build: it lacks a header"

    def open(self, spec):
        raise Unavailable("no working release is known")
