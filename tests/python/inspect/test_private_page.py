"""Processes that no other process can see: because they want it, or because there is no memory file for the page."""

from support import run_script

LIMITED = """
import resource, warnings
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
import threading, xichan

tx, rx = xichan.channel(1)
thread = threading.Thread(target=rx.recv)
thread.start()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    while not xichan.inspect().waits:
        pass
    xichan.inspect()
(warning,) = caught
assert warning.category is RuntimeWarning and "EFBIG" in str(warning.message), warning
assert warning.filename == "<string>", warning.filename
assert xichan._core._page_descriptor() == -1
tx.send(1)
thread.join()
"""


def test_a_page_without_a_file_is_reported_once():
    run_script(LIMITED)


def test_a_process_that_opts_out_warns_of_nothing():
    run_script(
        """
        import xichan
        xichan.inspect()
        assert xichan._core._page_descriptor() == -1
        """,
        env={"XICHAN_PAGE": "0"},
        options=["-W", "error"],
    )


def test_a_program_may_opt_out_before_it_imports_xichan():
    run_script("""
    import os
    os.environ["XICHAN_PAGE"] = "0"
    import xichan
    assert xichan._core._page_descriptor() == -1
    """)


def test_the_environment_is_not_read_after_the_import():
    run_script("""
    import os, threading, xichan
    os.environ["XICHAN_PAGE"] = "0"
    tx, rx = xichan.channel(1)
    thread = threading.Thread(target=rx.recv)
    thread.start()
    while not xichan.inspect().waits:
        pass
    assert xichan._core._page_descriptor() >= 0
    tx.send(1)
    thread.join()
    """)
