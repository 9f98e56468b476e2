"""Set-up for all tests: after each, nothing of what it made may be alive."""

import gc
import tempfile
import threading

import hypothesis.configuration
import pytest
from support import alive, left_over, wait_until

import xichan

hypothesis.configuration.set_hypothesis_home_dir(tempfile.gettempdir() + "/xichan-hypothesis")
hypothesis.settings.register_profile("xichan", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("xichan")

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def pool():
    """A pool of two workers."""
    with xichan.InterpreterPoolExecutor(2) as pool:
        yield pool


@pytest.fixture(autouse=True)
def nothing_left_behind(request):
    """Channels, tickets, arena bytes and threads are back to what they were."""
    before, threads = alive(), threading.active_count()
    yield
    failed = request.node.stash.get(FAILED, False)
    gc.collect()
    xichan.set_memory_limit(None)
    xichan._core._fail_after(-1)
    if not failed and threading.active_count() > threads:
        wait_until(lambda: threading.active_count() <= threads)
        gc.collect()  # the cycles that the threads were part of
    gc.freeze()  # Otherwise each collection searches all modules and reports, most of the time of short tests.
    if failed:
        return  # its traceback holds on to things
    assert left_over(before) == {}
