"""The first program of a user: a channel between threads and, from CPython 3.14 on, a pool of interpreters."""

import sys
import threading

import xichan


def square(number):
    return number * number


def produce(tx):
    with tx:
        for n in range(5):
            tx.send((n, 2 ** (40 * n)))


if __name__ == "__main__":
    tx, rx = xichan.channel(capacity=2)
    threading.Thread(target=produce, args=(tx,)).start()
    print(list(rx))
    if sys.version_info >= (3, 14):
        with xichan.InterpreterPoolExecutor(2) as pool:
            print(list(pool.map(square, range(5))))
