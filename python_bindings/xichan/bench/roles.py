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

from xichan.bench import contenders, values

READY, GO, QUIT = "ready", b"g", b"q"
PATIENCE = 60.0


def run(index, go, report, peer_name, role, half, job):
    """One party. `go` and `report` are descriptors, `half` is what the contender's open() gave for this side."""
    answer, peer = {}, None
    try:
        peer = contenders.load(peer_name)
        work = ROLES[role](peer, half, job)
        _tell(report, {"party": index, READY: True})
        if os.read(go, 1) == GO:
            answer = work() or {}
    except contenders.Unavailable as error:
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


# What is timed, as timeit does it: compiled for each contender with its calls in it as its user writes them, keywords
# and all. A function around them would cost a good part of what the fastest of them take.
LOOP = """
def loop(n, put=None, get=None, value=None):
    got = None
    start = clock()
    {head}
        {statement}
    return start, clock(), got
"""
TIMES, TURNS, LEFT = "for _ in repeat(None, n):", "for put in islice(cycle(put), n):", "while n > 0:"
PUT, GET = "put(value, {put})", "got = get({get})"


def _loop(peer, statement, head=TIMES):
    """A function `loop(n, put, get, value)`: when it started, when it ended, and what was received last."""
    source = LOOP.format(head=head, statement=statement.format(put=peer.put_arguments, get=peer.get_arguments))
    names = {"clock": time.perf_counter, **vars(itertools)}
    exec(source, names)
    return names["loop"]


def check_send(peer, half, job):
    """Sends values for check_receive."""
    loop, put, value = _loop(peer, PUT), peer.sender(half), _value(peer, job)

    def work():
        loop(job["n"], put=put, value=value)

    return work


def check_receive(peer, half, job):
    """Compares each value that arrives."""
    loop, get = _loop(peer, GET), peer.receiver(half)
    values.make(job["payload"])

    def work():
        wrong = {}
        for _ in range(job["n"]):
            *_, got = loop(1, get=get)
            wrong = wrong or _check(got, peer, job)
        return wrong

    return work


def send(peer, half, job):
    return _send(_loop(peer, PUT), job["warm"], peer.sender(half), _value(peer, job), job["n"])


def send_turns(peer, half, job):
    """Sends to several channels by turns."""
    return _send(_loop(peer, PUT, TURNS), len(half), [peer.sender(one) for one in half], _value(peer, job), job["n"])


def send_batches(peer, half, job):
    """Sends lists of values: one by one where the contender knows no better."""
    put, batch = peer.batch_sender(half), [_value(peer, job)] * job["batch"]
    loop = _loop(peer, PUT if put else "for one in value: put(one, {put})")
    put = put or peer.sender(half)
    loop(1, put=put, value=batch[: job["warm"]])
    return _send(loop, 0, put, batch, job["n"] // len(batch))


def _send(loop, warm, put, value, n):
    loop(warm, put=put, value=value)

    def work():
        start, *_ = loop(n, put=put, value=value)
        return {"start": start}

    return work


def receive(peer, half, job):
    return _receive(_loop(peer, GET), job["warm"], peer.receiver(half), peer, job)


def receive_any(peer, half, job):
    """Receives from whichever of several channels has a value."""
    return _receive(_loop(peer, "got = get()"), len(half), peer.selector(half), peer, job)


def receive_batches(peer, half, job):
    """Receives lists of values, of no more than are still to come."""
    get = peer.batch_receiver(half)
    receiving = "get(min(value, n), {get})" if get else "[get({get}) for _ in range(min(value, n))]"
    loop = _loop(peer, f"got = {receiving}; n -= len(got)", LEFT)
    return _receive(loop, job["warm"], get or peer.receiver(half), peer, job, job["batch"])


def _receive(loop, warm, get, peer, job, batch=None):
    loop(warm, get=get, value=batch)

    def work():
        _, end, got = loop(job["n"], get=get, value=batch)
        return {"end": end, **_check(got[-1] if batch else got, peer, job)}

    return work


def ask(peer, half, job):
    """One side of round trips, or both in one thread: with a gap the median time of one, else the mean."""
    loop = _loop(peer, f"{PUT}; {GET}")
    put, get, value = peer.sender(half[0]), peer.receiver(half[1]), _value(peer, job)
    n, gap = job["n"], job["gap"]
    loop(1, put, get, value)

    def busy():
        start, end, got = loop(n, put, get, value)
        return {"each": (end - start) / n, **_check(got, peer, job)}

    def parked():
        times = []
        for _ in range(n):
            time.sleep(gap)
            start, end, got = loop(1, put, get, value)
            times.append(end - start)
        return {"each": sorted(times)[n // 2], **_check(got, peer, job)}

    return parked if gap else busy


def answer(peer, half, job):
    """The other side of round trips."""
    loop, get, put = _loop(peer, f"{GET}; put(got, {{put}})"), peer.receiver(half[0]), peer.sender(half[1])
    loop(1, put, get)

    def work():
        *_, got = loop(job["n"], put, get)
        return _check(got, peer, job)

    return work


def read(peer, half, job):
    """Receives a tuple and reads ten of its elements; only that is timed, not the sending. The shortest time counts."""
    sending, reading = _loop(peer, PUT), _loop(peer, f"{GET}\n        for place in value: got[place]")
    put, get, value = peer.sender(half[0]), peer.receiver(half[1]), _value(peer, job)
    places = range(0, len(value), max(len(value) // 10, 1))[:10]

    def work():
        times, wrong = [], {}
        for _ in range(job["n"]):
            sending(1, put=put, value=value)
            start, end, got = reading(1, get=get, value=places)
            times.append(end - start)
            if any(got[place] != value[place] for place in places) or len(got) != len(value):
                wrong = {"wrong": "the tuple is not what was sent"}
            del got
        return {"each": min(times), **wrong}

    return work


def block(peer, half, job):
    """Threads that wait for a value each; the processor time of the whole process meanwhile, per second."""
    sending, receiving = _loop(peer, PUT), _loop(peer, GET)
    puts = [peer.sender(one) for one in half[0]]
    gets = [peer.receiver(one) for one in half[1]]
    value, seconds = _value(peer, job), job["seconds"]

    def work():
        wrong, started = [], threading.Barrier(len(gets) + 1)

        def wait(get):
            started.wait(PATIENCE)
            *_, got = receiving(1, get=get)
            wrong.extend(_check(got, peer, job))

        threads = [threading.Thread(target=wait, args=(get,)) for get in gets]
        for thread in threads:
            thread.start()
        started.wait(PATIENCE)
        time.sleep(max(seconds, 0.05))  # until all have gone to sleep
        used, start = time.process_time(), time.perf_counter()
        time.sleep(max(seconds, 0.05))
        share = (time.process_time() - used) / (time.perf_counter() - start)
        for put in puts:
            sending(1, put=put, value=value)
        for thread in threads:
            thread.join()
        return {"each": share, **({"wrong": "a value is not what was sent"} if wrong else {})}

    return work


ROLES = {
    function.__name__: function
    for function in (
        *(check_send, check_receive, send, send_turns, send_batches, receive, receive_any, receive_batches),
        *(ask, answer, read, block),
    )
}


def tiny_task(number):
    """What the pools are given to do."""
    return number + 1
