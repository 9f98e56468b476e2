"""The contenders: one file each, with exactly one subclass of ``Contender``. Files that begin with an underscore hold
what several contenders share.
"""

import functools
import importlib
import importlib.metadata
import importlib.util
import pkgutil
import sys
from typing import NamedTuple

from xichan.bench.loader import only_subclass


class Unavailable(Exception):
    """A contender does not support a scenario; the message gives the reason."""


class Spec(NamedTuple):
    """The properties of a channel to open."""

    payload: str  # the name of the payload, see values.py
    nbytes: int  # its size
    senders: int = 1
    receivers: int = 1
    capacity: int = 1024
    max_bytes: int | None = None  # bound on the bytes queued, for contenders that support one
    number: int = 0  # index among the channels that are open at the same time


class Contender:
    """One contender. The host opens a channel in its main thread, then passes one half to each worker."""

    name = ""  # on the command line and in files; the path, for a contender loaded from --contender-file
    title = ""  # in reports
    place = "interpreters"  # where workers run: "interpreters" or "threads" of one process, or "processes"
    module: str | None = None  # the module that must be importable
    package: str | None = None  # the distribution whose version is reported
    why_missing: str | None = None  # reported instead of the ImportError
    group = "other"  # "xichan", "other", "pool", or "state"
    variant: str | None = None  # "flavor", "views" or "bare": takes part only in scenarios that list it
    max_bytes = 4 << 20  # bound on the bytes queued, if a message is large; at least three messages
    max_bytes_of_one_object = 4 << 20  # the same if all messages are one object
    views = False  # whether receives return views instead of copies
    put_arguments = ""  # source text: additional arguments of each send, such as "timeout=60.0"
    get_arguments = ""  # source text: additional arguments of each receive

    def missing(self):
        """Return why the contender is not installed, or None. Does not import its module."""
        if self.module is not None and importlib.util.find_spec(self.module) is None:
            return self.why_missing or f"no module named {self.module!r}"
        return None

    def unusable(self):
        """Return why the contender cannot be used, or None. Imports its module, unlike missing()."""
        reason = self.missing()
        if reason is None and self.module is not None:
            try:
                importlib.import_module(self.module)
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
        return reason

    def version(self):
        """Return the version of the contender's package; None for the standard library."""
        if self.package is None:
            return None
        try:
            return importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            return None

    def open(self, spec):
        """Open a channel; return (sending half, receiving half), each of which is passed to workers."""
        raise Unavailable("has no channels")

    def close(self, sending, receiving):
        """Release a channel that open() returned."""

    def sender(self, sending):
        """In a worker: return a function that sends one value and blocks if necessary. Gets `put_arguments`."""
        raise NotImplementedError

    def receiver(self, receiving):
        """In a worker: return a function that blocks until it has received one value. Gets `get_arguments`."""
        raise NotImplementedError

    def holds(self, nbytes, shared):
        """Return the memory in bytes that a queued value of `nbytes` needs. `shared`: prepare() made the value."""
        return nbytes

    def batch_sender(self, sending):
        """In a worker: return a function that sends a list of values, or None if values are sent one by one."""
        return None

    def batch_receiver(self, receiving):
        """In a worker: return a function of n that receives a list of 1 to n values, or None as batch_sender()."""
        return None

    def selector(self, receivings):
        """In a worker: return a function that receives one value from any of several channels."""
        raise Unavailable("cannot wait for several at once")

    def finish(self):
        """In a worker: release resources after its work."""

    def prepare(self, value):
        """In a worker: convert a value to the form that scenarios with shared values send."""
        return value

    def pool(self, workers):
        """In the host: return an executor with the interface of ``concurrent.futures``."""
        raise Unavailable("has no pool")

    def warm_pool(self, workers):
        """In the host: return such an executor, which has prepared for its first task what it can."""
        return self.pool(workers)


@functools.cache
def names():
    """Return the names of the built-in contenders, in the order of reports."""
    found = [load(info.name).name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")]
    return sorted(
        found, key=lambda name: (("xichan", "pool", "state", "other").index(load(name).group), name != "xichan", name)
    )


@functools.cache
def load(name):
    """Return a contender by its name, or by the path of a file that defines one.

    Raises ValueError if the file does not define exactly one subclass of Contender.
    """
    if not name.endswith(".py"):
        module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
        return only_subclass(module, Contender)()
    contender = only_subclass(_module_of_file(name), Contender)()
    contender.name = name
    return contender


def _module_of_file(path):
    name = "xichan_bench_contender_" + "".join(letter if letter.isalnum() else "_" for letter in path)
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module
    return sys.modules[name]
