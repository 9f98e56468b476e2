"""For tests of memory: each allocation fails once, the arena's or Python's; loops that may leave nothing."""

import pytest

import xichan
from support import run_script
from xichan import _core


def fail_each_allocation(call, check):
    """Call again and again, the arena's Nth allocation failing, until the call succeeds; what it answers.

    `check()` looks after each failure at what the call has left. A call that needs no block tests nothing.
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
    assert failures >= 1, "no allocation could fail"
    return result


PRELUDE = """
    import sys
    import _testcapi, xichan
    from support import alive, counts, ends_in, left_over, same, samples

    def without_memory(n, call):
        "Whether the call succeeds when the Nth allocation of Python's and all later ones fail, and its result."
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
    """Run source, which may call without_memory, in a process of its own; `before` is what was alive at its start."""
    pytest.importorskip("_testcapi", reason="only _testcapi can make Python's own allocators fail")
    run_script(PRELUDE + source, *arguments, timeout=timeout)


def loop_without_leak(body, setup="", rounds=10_000):
    """Run a statement over and over, in a process of its own, and look at what memory is left."""
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
        assert rss() - before <= 512 * 1024, f"grown by {rss() - before} bytes"
        if references.COUNTED:
            references.check(lambda: loop(100))
        """,
        rounds,
    )
