"""The work of the workers. Each runs in an interpreter, thread or process of its own and imports no more than this.

A party gets ready, tells so, waits to be let go, does its work, and reports. What it reports with is a pipe, so that
the measuring has no part in what is measured. Getting ready takes a few messages through the channel: connections are
made then, threads of a contender's own started. `perf_counter` is one clock for all of them (CLOCK_MONOTONIC).
"""

import itertools
import json
import os
import threading
import time
import traceback

from xichan.bench import peers, values

READY, GO, QUIT = "ready", b"g", b"q"
PATIENCE = 60.0


def run(index, go, report, peer_name, role, half, job):
    """One party. `go` and `report` are descriptors, `half` is what the contender's open() gave for this side."""
    answer, peer = {}, None
    try:
        peer = peers.load(peer_name)
        work = ROLES[role](peer, half, job)
        _tell(report, {"party": index, READY: True})
        if os.read(go, 1) == GO:
            answer = work() or {}
    except peers.Unavailable as error:
        answer = {"unavailable": str(error)}
    except BaseException as error:
        answer = {"error": "".join(traceback.format_exception(error))[-2000:]}
    _tell(report, {"party": index, **answer})
    if peer is not None:
        peer.finish()


def _tell(report, record):
    os.write(report, json.dumps(record).encode() + b"\n")  # shorter than PIPE_BUF, so in one piece


def _value(peer, job):
    value = values.make(job["payload"])
    return peer.prepare(value) if job.get("shared") else value


def _views(peer, job):
    return peer.views or bool(job.get("shared"))


def _check(received, peer, job):
    wrong = values.difference(received, job["payload"], _views(peer, job))
    return {"wrong": wrong} if wrong else {}


def check_send(peer, half, job):
    """Sends values for check_receive."""
    put, value, n = peer.sender(half), _value(peer, job), job["n"]

    def work():
        for _ in range(n):
            put(value)

    return work


def check_receive(peer, half, job):
    """Compares each value that arrives."""
    get, n = peer.receiver(half), job["n"]
    values.make(job["payload"])

    def work():
        wrong = {}
        for _ in range(n):
            wrong = wrong or _check(get(), peer, job)
        return wrong

    return work


def send(peer, half, job):
    put, value, n = peer.sender(half), _value(peer, job), job["n"]
    for _ in range(job["warm"]):
        put(value)

    def work():
        start = time.perf_counter()
        for _ in itertools.repeat(None, n):
            put(value)
        return {"start": start}

    return work


def receive(peer, half, job):
    return _receive(peer.receiver(half), job["warm"], peer, job)


def send_batches(peer, half, job):
    put, batch, n = peer.batch_sender(half), [_value(peer, job)] * job["batch"], job["n"]
    put(batch[: job["warm"]])

    def work():
        start = time.perf_counter()
        for _ in itertools.repeat(None, n // len(batch)):
            put(batch)
        return {"start": start}

    return work


def receive_batches(peer, half, job):
    get, size, left = peer.batch_receiver(half), job["batch"], job["n"]
    for _ in range(job["warm"]):
        get(1)

    def work():
        missing = left
        while missing > 0:
            batch = get(min(size, missing))
            missing -= len(batch)
        return {"end": time.perf_counter(), **_check(batch[-1], peer, job)}

    return work


def send_turns(peer, half, job):
    """Sends to several channels by turns."""
    puts, value, n = [peer.sender(one) for one in half], _value(peer, job), job["n"]
    for put in puts:
        put(value)

    def work():
        start = time.perf_counter()
        for put in itertools.islice(itertools.cycle(puts), n):
            put(value)
        return {"start": start}

    return work


def receive_any(peer, half, job):
    """Receives from whichever of several channels has a value."""
    return _receive(peer.selector(half), len(half), peer, job)


def _receive(get, warm, peer, job):
    n = job["n"]
    for _ in range(warm):
        get()

    def work():
        for _ in itertools.repeat(None, n):
            value = get()
        return {"end": time.perf_counter(), **_check(value, peer, job)}

    return work


def ask(peer, half, job):
    """One side of round trips: with a gap the median time of one, else the mean."""
    put, get, value = peer.sender(half[0]), peer.receiver(half[1]), _value(peer, job)
    n, gap = job["n"], job["gap"]
    put(value)
    get()

    def busy():
        start = time.perf_counter()
        for _ in itertools.repeat(None, n):
            put(value)
            got = get()
        return {"each": (time.perf_counter() - start) / n, **_check(got, peer, job)}

    def parked():
        times = []
        for _ in range(n):
            time.sleep(gap)
            start = time.perf_counter()
            put(value)
            got = get()
            times.append(time.perf_counter() - start)
        return {"each": sorted(times)[n // 2], **_check(got, peer, job)}

    return parked if gap else busy


def answer(peer, half, job):
    """The other side of round trips."""
    get, put, n = peer.receiver(half[0]), peer.sender(half[1]), job["n"]
    put(get())

    def work():
        for _ in itertools.repeat(None, n):
            value = get()
            put(value)
        return _check(value, peer, job)

    return work


def alone(peer, half, job):
    """Sends and receives in one thread."""
    put, get, value, n = peer.sender(half[0]), peer.receiver(half[1]), _value(peer, job), job["n"]

    def work():
        start = time.perf_counter()
        for _ in itertools.repeat(None, n):
            put(value)
            got = get()
        return {"each": (time.perf_counter() - start) / n, **_check(got, peer, job)}

    return work


def read(peer, half, job):
    """Receives a tuple and reads ten of its elements; only that is timed, not the sending. The shortest time counts."""
    put, get, value, n = peer.sender(half[0]), peer.receiver(half[1]), _value(peer, job), job["n"]
    places = range(0, len(value), max(len(value) // 10, 1))[:10]

    def work():
        times, wrong = [], {}
        for _ in range(n):
            put(value)
            start = time.perf_counter()
            got = get()
            for place in places:
                got[place]
            times.append(time.perf_counter() - start)
            if any(got[place] != value[place] for place in places) or len(got) != len(value):
                wrong = {"wrong": "the tuple is not what was sent"}
            del got
        return {"each": min(times), **wrong}

    return work


def fill(peer, half, job):
    """Sends values that nobody receives."""
    put, payload, n = peer.sender(half), job["payload"], job["n"]
    value = values.make(payload)

    def work():
        for _ in itertools.repeat(None, n):
            put(value)

    return work


def block(peer, half, job):
    """Threads that wait for a value each; the processor time of the whole process meanwhile, per second."""
    puts = [peer.sender(one) for one in half[0]]
    gets = [peer.receiver(one) for one in half[1]]
    value, seconds = _value(peer, job), job["seconds"]

    def work():
        wrong, started = [], threading.Barrier(len(gets) + 1)

        def wait(get):
            started.wait(PATIENCE)
            wrong.extend(_check(get(), peer, job))

        threads = [threading.Thread(target=wait, args=(get,)) for get in gets]
        for thread in threads:
            thread.start()
        started.wait(PATIENCE)
        time.sleep(max(seconds, 0.05))  # until all have gone to sleep
        used, start = time.process_time(), time.perf_counter()
        time.sleep(max(seconds, 0.05))
        share = (time.process_time() - used) / (time.perf_counter() - start)
        for put in puts:
            put(value)
        for thread in threads:
            thread.join()
        return {"each": share, **({"wrong": "a value is not what was sent"} if wrong else {})}

    return work


ROLES = {
    function.__name__: function
    for function in (
        *(check_send, check_receive, send, receive, send_batches, receive_batches, send_turns, receive_any),
        *(ask, answer, alone, read, fill, block),
    )
}


def tiny_task(number):
    """What the pools are given to do."""
    return number + 1
