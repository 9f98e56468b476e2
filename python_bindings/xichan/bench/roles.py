"""The functions that workers run. A worker is an interpreter, thread or process that imports only this module.

A worker prepares, reports READY, waits for GO, does its work, and reports the result. It reports through a pipe, so
that the measurement does not use what it measures. Preparation sends a few messages through the channel, so that
connections exist and the contender's own threads run. `perf_counter` is one clock for all workers (CLOCK_MONOTONIC).
"""

import itertools
import json
import os
import threading
import time
import traceback

from xichan.bench import contenders, state_roles, values

READY, GO, QUIT = "ready", b"g", b"q"
TIMEOUT = 60.0


def run(index, go, report, contender_name, role, half, job):
    """Run one worker. `go` and `report` are file descriptors; `half` is this side's part of the opened channel."""
    result, contender = {}, None
    try:
        contender = contenders.load(contender_name)
        work = ROLES[role](contender, half, job)
        _report(report, {"worker": index, READY: True})
        if os.read(go, 1) == GO:
            result = work() or {}
    except contenders.Unavailable as error:
        result = {"unavailable": str(error)}
    except BaseException as error:
        result = {"error": "".join(traceback.format_exception(error))[-2000:]}
    _report(report, {"worker": index, **result})
    if contender is not None:
        contender.finish()


def _report(report, record):
    os.write(report, json.dumps(record).encode() + b"\n")  # atomic: shorter than PIPE_BUF


def _value(contender, job):
    value = values.make(job["payload"])
    return contender.prepare(value) if job.get("shared") else value


def _views(contender, job):
    return contender.views or bool(job.get("shared"))


def _check(received, contender, job):
    wrong = values.difference(received, job["payload"], _views(contender, job))
    return {"wrong": wrong} if wrong else {}


# The timed loop, in the manner of timeit: compiled for each contender with its calls written as a user writes them,
# keywords included. A wrapper function would add a large part of what the fastest calls take.
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
PUT_FRESH = "put(value[1:], {put})"  # a fresh object each time; `value` has one more element


def _loop(contender, statement, head=TIMES):
    """Return a function `loop(n, put, get, value)` that returns (start, end, last value received)."""
    statement = statement.format(put=contender.put_arguments, get=contender.get_arguments)
    source = LOOP.format(head=head, statement=statement)
    names = {"clock": time.perf_counter, **vars(itertools)}
    exec(source, names)
    return names["loop"]


def check_send(contender, half, job):
    """Send values for check_receive."""
    loop, put, value = _loop(contender, PUT), contender.sender(half), _value(contender, job)

    def work():
        loop(job["n"], put=put, value=value)

    return work


def check_receive(contender, half, job):
    """Compare each received value."""
    loop, get = _loop(contender, GET), contender.receiver(half)
    values.make(job["payload"])

    def work():
        wrong = {}
        for _ in range(job["n"]):
            *_, got = loop(1, get=get)
            wrong = wrong or _check(got, contender, job)
        return wrong

    return work


def send(contender, half, job):
    put, value = contender.sender(half), _value(contender, job)
    if not job.get("fresh"):
        return _send(_loop(contender, PUT), job["warm"], put, value, job["n"])
    return _send(_loop(contender, PUT_FRESH), job["warm"], put, value[:1] + value, job["n"])


def send_turns(contender, half, job):
    """Send to several channels in turn."""
    puts = [contender.sender(one) for one in half]
    return _send(_loop(contender, PUT, TURNS), len(half), puts, _value(contender, job), job["n"])


def send_batches(contender, half, job):
    """Send lists of values; one by one if the contender has no batch call."""
    put, batch = contender.batch_sender(half), [_value(contender, job)] * job["batch"]
    loop = _loop(contender, PUT if put else "for one in value: put(one, {put})")
    put = put or contender.sender(half)
    loop(1, put=put, value=batch[: job["warm"]])
    return _send(loop, 0, put, batch, job["n"] // len(batch))


def _send(loop, warm, put, value, n):
    loop(warm, put=put, value=value)

    def work():
        start, *_ = loop(n, put=put, value=value)
        return {"start": start}

    return work


def receive(contender, half, job):
    return _receive(_loop(contender, GET), job["warm"], contender.receiver(half), contender, job)


def receive_any(contender, half, job):
    """Receive from any of several channels that has a value."""
    return _receive(_loop(contender, "got = get()"), len(half), contender.selector(half), contender, job)


def receive_batches(contender, half, job):
    """Receive lists of values; never ask for more than are still to come."""
    get = contender.batch_receiver(half)
    receiving = "get(min(value, n), {get})" if get else "[get({get}) for _ in range(min(value, n))]"
    loop = _loop(contender, f"got = {receiving}; n -= len(got)", LEFT)
    return _receive(loop, job["warm"], get or contender.receiver(half), contender, job, job["batch"])


def _receive(loop, warm, get, contender, job, batch=None):
    loop(warm, get=get, value=batch)

    def work():
        _, end, got = loop(job["n"], get=get, value=batch)
        return {"end": end, **_check(got[-1] if batch else got, contender, job)}

    return work


def ask(contender, half, job):
    """Send a request and receive the reply, or do both in one thread. Reports the median with a gap, else the mean."""
    loop = _loop(contender, f"{PUT}; {GET}")
    put, get, value = contender.sender(half[0]), contender.receiver(half[1]), _value(contender, job)
    n, gap = job["n"], job["gap"]
    loop(1, put, get, value)

    def busy():
        start, end, got = loop(n, put, get, value)
        return {"each": (end - start) / n, **_check(got, contender, job)}

    def parked():
        times = []
        for _ in range(n):
            time.sleep(gap)
            start, end, got = loop(1, put, get, value)
            times.append(end - start)
        return {"each": sorted(times)[n // 2], **_check(got, contender, job)}

    return parked if gap else busy


def reply(contender, half, job):
    """Send each received value back: the other side of `ask`."""
    loop = _loop(contender, f"{GET}; put(got, {{put}})")
    get, put = contender.receiver(half[0]), contender.sender(half[1])
    loop(1, put, get)

    def work():
        *_, got = loop(job["n"], put, get)
        return _check(got, contender, job)

    return work


def read(contender, half, job):
    """Receive a tuple and read ten of its elements. The sends are not timed; the shortest time counts."""
    sending, reading = _loop(contender, PUT), _loop(contender, f"{GET}\n        for place in value: got[place]")
    put, get, value = contender.sender(half[0]), contender.receiver(half[1]), _value(contender, job)
    places = range(0, len(value), max(len(value) // 10, 1))[:10]

    def work():
        times, wrong = [], {}
        for _ in range(job["n"]):
            sending(1, put=put, value=value)
            start, end, got = reading(1, get=get, value=places)
            times.append(end - start)
            if any(got[place] != value[place] for place in places) or len(got) != len(value):
                wrong = {"wrong": "the received tuple differs from the one sent"}
            del got
        return {"each": min(times), **wrong}

    return work


def look_up(contender, half, job):
    """Receive a value and look up one part of it repeatedly. Only the lookups are timed."""
    sending, receiving = _loop(contender, PUT), _loop(contender, GET)
    looking = _loop(contender, f"got = {job['expression']}")
    put, get, value = contender.sender(half[0]), contender.receiver(half[1]), _value(contender, job)

    def work():
        sending(1, put=put, value=value)
        *_, received = receiving(1, get=get)
        start, end, got = looking(job["n"], value=received)
        wrong = {}
        if not values.same(values.plain(got), eval(job["expression"], {"value": value})):
            wrong = {"wrong": f"{job['expression']} of the received value differs from that of the one sent"}
        return {"each": (end - start) / job["n"], **wrong}

    return work


def block(contender, half, job):
    """Report the CPU time per second that the process uses while threads block in a receive each."""
    sending, receiving = _loop(contender, PUT), _loop(contender, GET)
    puts = [contender.sender(one) for one in half[0]]
    gets = [contender.receiver(one) for one in half[1]]
    value, seconds = _value(contender, job), job["seconds"]

    def work():
        wrong, started = [], threading.Barrier(len(gets) + 1)

        def wait(get):
            started.wait(TIMEOUT)
            *_, got = receiving(1, get=get)
            wrong.extend(_check(got, contender, job))

        threads = [threading.Thread(target=wait, args=(get,)) for get in gets]
        for thread in threads:
            thread.start()
        started.wait(TIMEOUT)
        # Until all are asleep, and have woken up to three times in two seconds to return cached memory.
        time.sleep(max(5 * seconds, 0.05))
        used, start = time.process_time(), time.perf_counter()
        time.sleep(max(seconds, 0.05))
        share = (time.process_time() - used) / (time.perf_counter() - start)
        for put in puts:
            sending(1, put=put, value=value)
        for thread in threads:
            thread.join()
        return {"each": share, **({"wrong": "a received value differs from the one sent"} if wrong else {})}

    return work


ROLES = {
    function.__name__: function
    for function in (
        *(check_send, check_receive, send, send_turns, send_batches, receive, receive_any, receive_batches),
        *(ask, reply, read, look_up, block),
    )
} | state_roles.ROLES


def tiny_task(number):
    """The task that the pools run."""
    return number + 1


def spin():
    """The task that is interrupted."""
    while True:
        pass
