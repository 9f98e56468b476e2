"""Base class of the pools."""

import importlib

from xichan.bench.contenders import Contender


class PoolContender(Contender):
    group = "pool"
    module = "concurrent.futures"
    class_name = ""

    def missing(self):
        if not hasattr(importlib.import_module(self.module), self.class_name):
            return f"{self.module} has no {self.class_name}"
        return None

    def pool(self, workers):
        return getattr(importlib.import_module(self.module), self.class_name)(max_workers=workers)
