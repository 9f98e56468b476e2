"""The contenders. Each file here that does not begin with an underscore defines one, as the class ``Contender``."""

import functools
import importlib
import importlib.metadata
import importlib.util
import pkgutil
import sys
from typing import NamedTuple


class Unavailable(Exception):
    """A contender cannot take part in a scenario; the text says why."""


class Spec(NamedTuple):
    """What a channel is opened for."""

    payload: str  # the name of the values, see values.py
    nbytes: int  # their size
    senders: int = 1
    receivers: int = 1
    capacity: int = 1024
    max_bytes: int | None = None  # of all values queued, where a contender can bound that
    number: int = 0  # which of the channels open at a time


class Peer:
    """One contender. A channel is opened in the host's main thread; its two halves then go to the workers."""

    name = ""  # on the command line, and in files; of one from a file of its own it is the path
    title = ""  # in reports
    place = "interpreters"  # of the workers: "interpreters" or "threads" of one process, or "processes"
    module: str | None = None  # what has to be importable
    package: str | None = None  # whose version is of interest: a distribution
    why_missing: str | None = None  # told in place of the ImportError
    group = "other"  # "xichan", "other", or "pool"
    variant: str | None = None  # "flavor" or "views": takes part only where a scenario asks for that
    views = False  # whether it hands out views, not copies
    put_arguments = ""  # text: what a call to send or to receive takes besides, say "timeout=60.0"
    get_arguments = ""

    def missing(self):
        """Why it cannot be used at all, or None. Looks, but imports nothing of the contender's."""
        if self.module is not None and importlib.util.find_spec(self.module) is None:
            return self.why_missing or f"there is no module {self.module}"
        return None

    def unusable(self):
        """As missing(), but tries to import it too."""
        reason = self.missing()
        if reason is None and self.module is not None:
            try:
                importlib.import_module(self.module)
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
        return reason

    def version(self):
        """The version of its package; None for what comes with Python."""
        if self.package is None:
            return None
        try:
            return importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            return None

    def open(self, spec):
        """A new channel: what a sending worker gets, and what a receiving one."""
        raise Unavailable("has no channels")

    def close(self, sending, receiving):
        """The channel is no longer used."""

    def sender(self, sending):
        """In a worker: a function that sends one value, waiting if need be. It is called with `put_arguments`."""
        raise NotImplementedError

    def receiver(self, receiving):
        """In a worker: a function that receives one value, waiting until there is one. Called with `get_arguments`."""
        raise NotImplementedError

    def holds(self, nbytes, shared):
        """Bytes of memory that a queued value of so many takes, or that of one that prepare() made, if `shared`."""
        return nbytes

    def batch_sender(self, sending):
        """In a worker: as sender(), of a list of values. None: they are sent one by one."""
        return None

    def batch_receiver(self, receiving):
        """In a worker: as receiver(), of a list of one to n values. None: they are received one by one."""
        return None

    def selector(self, receivings):
        """In a worker: a function that receives one value from whichever channel has one."""
        raise Unavailable("cannot wait for several at once")

    def finish(self):
        """In a worker: its work is done."""

    def prepare(self, value):
        """In a worker: the value as it is sent in scenarios of values that are shared."""
        return value

    def pool(self, workers):
        """In the host: an executor as of ``concurrent.futures``."""
        raise Unavailable("is no pool")


@functools.cache
def names():
    """The names of the contenders that come with xichan, in the order of reports."""
    found = [load(info.name).name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")]
    return sorted(found, key=lambda name: (("xichan", "pool", "other").index(load(name).group), name != "xichan", name))


@functools.cache
def load(name):
    """A contender by its name, or by the path of a file that defines one."""
    if not name.endswith(".py"):
        return importlib.import_module(f"{__name__}.{name.replace('-', '_')}").Contender()
    module_name = "xichan_bench_peer_" + "".join(letter if letter.isalnum() else "_" for letter in name)
    if module_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(module_name, name)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[module_name] = module
    peer = sys.modules[module_name].Contender()
    peer.name = name
    return peer
