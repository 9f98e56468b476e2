"""Forks while another thread imports a module of the package, as the first use of many functions does."""

import pytest
from support import run_script

SCRIPT = """
import os, signal, sys, threading, warnings, xichan

warnings.simplefilter("ignore", DeprecationWarning)
name, module = sys.argv[1:]
begun, forks = threading.Event(), threading.Event()

class Finder:
    def find_spec(self, fullname, path=None, target=None):
        if fullname == module and threading.current_thread() is not threading.main_thread():
            begun.set()
            forks.wait()

sys.meta_path.insert(0, Finder())
thread = threading.Thread(target=lambda: getattr(xichan, name))
thread.start()
begun.wait()
os.register_at_fork(before=forks.set)
child = os.fork()
if child == 0:
    signal.alarm(40)
    getattr(xichan, name)
    os._exit(7)
thread.join()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


@pytest.mark.parametrize(
    ("name", "module"),
    [("inspect", "xichan._inspect_process"), ("inspect", "dataclasses"), ("deadlocks", "xichan._deadlocks")],
)
def test_child_of_a_fork_imports_what_another_thread_was_importing(name, module):
    run_script(SCRIPT, name, module)


def test_a_module_that_forks_while_it_is_imported_does_not_wait_for_itself():
    run_script("""
    import os, signal, sys, warnings, xichan

    warnings.simplefilter("ignore", DeprecationWarning)

    class Finder:
        def find_spec(self, fullname, path=None, target=None):
            if fullname == "dataclasses" and not children:
                children.append(os.fork())
                if not children[0]:
                    signal.alarm(40)

    children = []
    sys.meta_path.insert(0, Finder())
    xichan.inspect()
    if not children[0]:
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 7
    """)
