"""Locks for the main thread, where Ctrl-C may come between any two steps.

In CPython 3.14 an exception of a signal handler can come between the ``__enter__`` of a ``with`` and its block, and
then the lock is never released. Signal handlers run after calls and at jumps backward, hence not between the step of a
``for`` and the ``try`` behind it. So where the main thread may be

    for _ in taking(lock):
        try:
            ...
        finally:
            lock.release()

stands for ``with lock:``.
"""

_ONCE = (True,)


def taking(lock):
    """An iterator of one step, which acquires the lock."""
    return map(lock.acquire, _ONCE)


def start(thread):
    """Start a thread, for certain: if this is interrupted it has been started all the same. RuntimeError if not."""
    try:
        thread.start()
    except Exception:
        raise
    except BaseException:
        try:
            thread.start()
        except RuntimeError:
            pass  # it had been
        raise
