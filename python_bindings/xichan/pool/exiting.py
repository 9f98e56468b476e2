"""What happens to pools when the interpreter that has them ends, or the process forks.

At exit, before ``threading`` joins its threads, every pool is shut down and its tasks are waited for: as those of the
standard library.
"""

import os
import threading
import weakref

begun = False
_crews: weakref.WeakSet = weakref.WeakSet()


def add(crew):
    _crews.add(crew)


def _at_exit():
    global begun
    begun = True
    crews = list(_crews)
    for crew in crews:
        crew.stop()
    for crew in crews:
        crew.join()


def _after_fork():
    for crew in list(_crews):
        crew.forget()
    _crews.clear()


threading._register_atexit(_at_exit)  # type: ignore[attr-defined]
os.register_at_fork(after_in_child=_after_fork)
