"""Small dumps that try to take much time or memory."""

from support import run_script
from support.bombs import bombs


def test_bombs_are_small_and_many():
    found = bombs()
    assert len(found) >= 60
    assert {name: len(data) for name, data in found.items() if len(data) >= 4096} == {}


def test_bombs_take_bounded_time_and_memory():
    """Each is refused with ValueError, or its value is made."""
    run_script("""
        import faulthandler, resource, sys, tracemalloc
        import xichan
        from support.bombs import Frozen, bombs

        found = bombs()

        def load(data, classes):
            try:
                return xichan.loads(data, classes=classes)
            except ValueError:
                return None

        for data in found.values():
            load(data, [Frozen])  # imports what the standard types need
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
        xichan.memory_stats()
        modules = set(sys.modules)
        for name, data in found.items():
            print(name, flush=True)
            faulthandler.dump_traceback_later(20, exit=True)
            for classes in ((), [Frozen]):
                before = xichan.memory_stats().bytes
                tracemalloc.start()
                value = load(data, classes)
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
                assert peak < 2**20, (name, peak)
                assert xichan.memory_stats().bytes <= before + 2 * len(data) + 4096, name
                del value
            if load(data, ()) is not None:
                try:
                    xichan.loads(data, max_bytes=64)
                except ValueError as error:
                    assert "max_bytes" in str(error)
                else:
                    assert len(data) < 64
        assert set(sys.modules) - modules == set(), set(sys.modules) - modules
        """)
