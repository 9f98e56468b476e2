"""The Unicode table of ``shared_table.py``, and the functions of its worker interpreters.

This is a separate module so that workers can import it.
"""

import bisect
import operator
import sys
import time
import unicodedata

NUMBER = operator.itemgetter(0)

_kept = {}  # the table of this interpreter


def row(number):
    """Return (number, name, category, numeric value, decomposition) of a code point."""
    character = chr(number)
    return (
        number,
        unicodedata.name(character, None),
        unicodedata.category(character),
        unicodedata.numeric(character, None),
        unicodedata.decomposition(character),
    )


def build(limit=sys.maxunicode + 1):
    """Return the rows of all code points below a limit, sorted, as a tuple of tuples."""
    return tuple(row(number) for number in range(limit))


def look_up(table, number):
    """Find a row by bisection, which reads about 20 of a million rows."""
    place = bisect.bisect_left(table, number, key=NUMBER)
    found = table[place]
    if found[0] != number:
        raise LookupError(number)
    return found


def keep_view(shared):
    """Keep a view of the shared table, which reads it in place."""
    _kept["table"] = shared.view()


def keep_copy(receiver):
    """Receive the table by value and keep this interpreter's copy."""
    _kept["table"] = receiver.recv()


def forget():
    _kept.clear()


def serve(requests, results):
    """Reply to each batch of numbers with (numbers, rows), until the channel of requests is finished."""
    table = _kept["table"]
    with requests, results:
        for numbers in requests:
            # The rows are views, so sending them copies nothing.
            results.send((numbers, tuple(look_up(table, number) for number in numbers)))


def rate(table, numbers):
    """Return lookups per second of processor time, in this interpreter."""
    start = time.thread_time()
    for number in numbers:
        look_up(table, number)
    return len(numbers) / (time.thread_time() - start)


def rate_kept(numbers):
    """Return the rate in the table that this worker keeps."""
    return rate(_kept["table"], numbers)
