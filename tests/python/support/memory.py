"""Helpers for tests of memory: failing allocations of the arena or of Python, and loops that must not leak."""

import pytest

import xichan
from support import run_script
from xichan import _core


def fail_each_allocation(call, check):
    """Repeat a call with the arena's Nth allocation failing, N = 0, 1, ..., until it succeeds; return its result.

    `check()` runs after each failure. The call must allocate at least one block.
    """
    failures = 0
    while True:
        _core._fail_after(failures)
        try:
            result = call()
            break
        except MemoryError as error:
            assert not isinstance(error, xichan.MemoryLimitExceeded)
            failures += 1
        finally:
            _core._fail_after(-1)
        check()
    assert failures >= 1, "the call allocated no block"
    return result


PRELUDE = """
    import sys
    import _testcapi, xichan
    from support import alive, counts, endpoints_in, left_over, same, samples

    def without_memory(n, call):
        "Fail Python's allocations from the Nth on during a call; return (whether it succeeded, its result)."
        result = None
        _testcapi.set_nomemory(n)
        try:
            result = call()
        except MemoryError:
            return False, None
        finally:
            _testcapi.remove_mem_hooks()
        return True, result

    before = alive()
"""


def run_without_memory(source, *arguments, timeout=60):
    """Run source in a new process, with without_memory() defined and `before` set to alive() at its start."""
    pytest.importorskip("_testcapi", reason="needs _testcapi to make Python's allocators fail")
    run_script(PRELUDE + source, *arguments, timeout=timeout)


def loop_without_leak(body, setup="", rounds=10_000):
    """Run a statement repeatedly in a new process; fail if it leaks objects, blocks or memory."""
    run_script(
        """
        import copy, gc, pickle, resource, sys, weakref
        from support import references, xichan
        from support import alive

        def refused(call):
            try:
                call()
            except (xichan.Error, ValueError, TypeError, IndexError):
                return
            raise AssertionError

        tx, rx = xichan.channel(4)
        full, other_end = xichan.channel(1)
        full.send(0)
        """
        + setup
        + f"""
        def loop(n):
            for i in range(n):
                {body}
        """
        + """
        def rss():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * resource.getpagesize()

        rounds = int(sys.argv[1])
        alive()  # its first call imports modules
        loop(rounds // 5)
        gc.collect()
        blocks, before, ours = sys.getallocatedblocks(), rss(), alive()
        loop(rounds)
        gc.collect()
        assert alive() == ours
        grown = sys.getallocatedblocks() - blocks
        assert grown < rounds // 10, f"{grown} blocks after {rounds} rounds"
        assert rss() - before <= 512 * 1024, f"memory grew by {rss() - before} bytes"
        if references.COUNTED:
            references.check(lambda: loop(100))
        """,
        rounds,
    )
