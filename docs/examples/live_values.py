"""Replace values that other interpreters read, and count together.

One worker replaces a value again and again, while another looks it up: by publish(replace=True) and lookup(), in a
Cell, and in a Map. No look-up misses, and none returns an older value than the one before. Then two workers increment
one number: an AtomicInt, an entry of a Map, and a Cell whose update() calls a function. No increment is lost.

Exit code: 0; 1 if a look-up missed or an increment was lost.
"""

import argparse
import sys

import xichan

NAME = "live value"


def replace_published(count):
    for number in range(1, count + 1):
        xichan.publish(NAME, number, replace=True)


def look_up_published(count):
    return look_up(lambda: xichan.lookup(NAME), count)


def replace_in_cell(cell, count):
    for number in range(1, count + 1):
        cell.set(number)


def look_up_in_cell(cell, count):
    return look_up(cell.get, count)


def replace_in_map(table, count):
    for number in range(1, count + 1):
        table[NAME] = number


def look_up_in_map(table, count):
    return look_up(lambda: table[NAME], count)


def look_up(read, count):
    """Read a value `count` times. Return how often it was missing, and how often it was older than the one before."""
    missed = went_back = last = 0
    for _ in range(count):
        try:
            number = read()
        except (xichan.NotFound, KeyError):
            missed += 1
            continue
        went_back += number < last
        last = number
    return missed, went_back


def increment(number, count):
    for _ in range(count):
        number.add(1)


def increment_entry(table, count):
    for _ in range(count):
        table.add(NAME)


def increment_cell(cell, count):
    for _ in range(count):
        cell.update(lambda number: number + 1)


def watch(pool, title, writer, reader, count):
    """Run a writer and a reader at the same time, each a function and its arguments; print and return the misses."""
    calls = [pool.submit(*call, count) for call in (writer, reader)]
    calls[0].result()
    missed, went_back = calls[1].result()
    print(f"{title}: {missed} of {count:,} look-ups missed, {went_back} went back")
    return missed + went_back


def count_together(pool, title, function, shared, value, count):
    """Increment a number in two workers; print and return how many increments were lost."""
    for call in [pool.submit(function, shared, count // 2) for _ in range(2)]:
        call.result()
    lost = count - value()
    print(f"{title}: {lost} of {count:,} increments lost")
    return lost


def parse_arguments():
    parser = argparse.ArgumentParser(description="Replace values while they are read, and count in two interpreters.")
    parser.add_argument("--lookups", type=int, default=400_000, metavar="N", help="look-ups of each value")
    parser.add_argument("--increments", type=int, default=200_000, metavar="N", help="increments of each number")
    return parser.parse_args()


def main():
    options = parse_arguments()
    cell, table = xichan.Cell(0), xichan.Map()
    table[NAME] = 0
    xichan.publish(NAME, 0)
    with xichan.InterpreterPoolExecutor(2) as pool:
        watched = (
            ("published value", (replace_published,), (look_up_published,)),
            ("Cell", (replace_in_cell, cell), (look_up_in_cell, cell)),
            ("Map", (replace_in_map, table), (look_up_in_map, table)),
        )
        wrong = sum(watch(pool, *one, options.lookups) for one in watched)
        number, counters, sums = xichan.AtomicInt(), xichan.Map(), xichan.Cell(0)
        counted = (
            ("AtomicInt.add", increment, number, lambda: number.value),
            ("Map.add", increment_entry, counters, lambda: counters[NAME]),
            ("Cell.update", increment_cell, sums, sums.get),
        )
        wrong += sum(abs(count_together(pool, *one, options.increments)) for one in counted)
    xichan.unpublish(NAME)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
