"""Locks and threads for the main thread, where Ctrl-C may come between any two steps.

In CPython 3.14 an exception of a signal handler can come between the ``__enter__`` of a ``with`` and its block, and
then the lock is never released. Signal handlers run after calls, at the beginning of functions and at jumps backward,
hence not between the step of a ``for`` and the block behind it. So where the main thread may be

    for _ in taking(lock):
        try:
            ...
        finally:
            lock.release()

stands for ``with lock:``. In the same way ``for _ in map(call_in_c, (argument,)): note`` does both or neither, if to
note calls nothing.
"""

_ONCE = (True,)


def taking(lock):
    """An iterator of one step, which acquires the lock."""
    return map(lock.acquire, _ONCE)


def start(thread):
    """Start a thread, for certain: if this is interrupted it has been started all the same. RuntimeError if not."""
    try:
        thread.start()
    except BaseException:
        if not has_started(thread):  # a second start would disturb the first, though it is refused
            thread.start()
        raise


def has_started(thread):
    """Whether there is a thread, though it may not have run yet."""
    handle = getattr(thread, "_os_thread_handle", thread)  # CPython 3.14 and 3.15; Thread.ident comes a little later
    return bool(handle.ident)
