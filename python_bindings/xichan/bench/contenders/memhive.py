"""memhive: a hive of workers that are sent objects."""

from xichan.bench.contenders import Peer, Unavailable


class Contender(Peer):
    name = "memhive"
    title = "memhive"
    module = "memhive"
    package = "memhive"
    why_missing = "its only release on PyPI, 0.0.1, does not build: it lacks a header"

    def open(self, spec):
        raise Unavailable("no release of it has been seen to work")
