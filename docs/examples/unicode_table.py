"""The Unicode table of ``shared_table.py``, and what its worker interpreters do with it.

A module of its own, because workers import it and the program is run.
"""

import bisect
import operator
import sys
import time
import unicodedata

NUMBER = operator.itemgetter(0)

_kept = {}  # what this interpreter looks things up in


def row(number):
    """(number, name, category, numeric value, decomposition) of a code point."""
    character = chr(number)
    return (
        number,
        unicodedata.name(character, None),
        unicodedata.category(character),
        unicodedata.numeric(character, None),
        unicodedata.decomposition(character),
    )


def build(limit=sys.maxunicode + 1):
    """The rows of all code points below a limit, sorted: a tuple of tuples."""
    return tuple(row(number) for number in range(limit))


def look_up(table, number):
    """A row by bisection: some 20 rows of a million are touched."""
    place = bisect.bisect_left(table, number, key=NUMBER)
    found = table[place]
    if found[0] != number:
        raise LookupError(number)
    return found


def keep_view(shared):
    """Read the shared table where it lies."""
    _kept["table"] = shared.view()


def keep_copy(receiver):
    """Receive a table by value: a tuple of this interpreter's own."""
    _kept["table"] = receiver.recv()


def forget():
    _kept.clear()


def answer(requests, answers):
    """Answer each batch of numbers that comes with (the numbers, their rows), until no more can come."""
    table = _kept["table"]
    with requests, answers:
        for numbers in requests:
            # A row is a view, and travels as one: nothing is copied.
            answers.send((numbers, tuple(look_up(table, number) for number in numbers)))


def rate(table, numbers):
    """Look-ups per second of processor time, in this interpreter."""
    start = time.thread_time()
    for number in numbers:
        look_up(table, number)
    return len(numbers) / (time.thread_time() - start)


def rate_kept(numbers):
    """The same in what a worker keeps."""
    return rate(_kept["table"], numbers)
