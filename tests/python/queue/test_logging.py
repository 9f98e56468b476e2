"""Log records across interpreters: the standard library's queue handlers over xichan.Queue."""

import logging
import logging.handlers
import queue
import re

import pytest
from support import Call, execute, interpreter, wait_until

import xichan


class Collector(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


def logger(q):
    """Return a logger whose records go into a queue."""
    made = logging.Logger("here")
    made.addHandler(logging.handlers.QueueHandler(q))
    return made


LOG = """
    import logging, logging.handlers, threading

    logger = logging.getLogger(name)
    logger.setLevel(logging.INFO)
    logger.addHandler(logging.handlers.QueueHandler(q))

    def work():
        for i in range(50):
            logger.info("number %d of %s", i, name)
            logger.debug("left out")
        try:
            1 / 0
        except ZeroDivisionError:
            logger.exception("failed in %s", name, extra={"details": [name, {"i": i}]})

    thread = threading.Thread(target=work, name="the thread of " + name)
    thread.start()
    thread.join()
"""


def test_listener_receives_records_of_two_interpreters():
    pytest.importorskip("concurrent.interpreters")
    q, collector = xichan.Queue(), Collector()
    listener = logging.handlers.QueueListener(q, collector)
    listener.start()
    names = ["first", "second"]
    with interpreter(q=q, name=names[0]) as one, interpreter(q=q, name=names[1]) as other:
        calls = [execute(interp, LOG) for interp in (one, other)]
        for call in calls:
            call.result()
    q.join()  # the listener calls task_done after each record
    listener.stop()
    assert len(collector.records) == 2 * 51 and q.stats().pickled == 0 and q.unfinished_tasks == 0
    for name in names:
        *numbers, failed = [record for record in collector.records if record.name == name]
        assert [record.getMessage() for record in numbers] == [f"number {i} of {name}" for i in range(50)]
        assert {record.levelname for record in numbers} == {"INFO"}
        assert {record.threadName for record in numbers} == {f"the thread of {name}"}
        assert failed.levelname == "ERROR" and "ZeroDivisionError" in failed.getMessage()
        assert failed.details == [name, {"i": 49}]


@pytest.mark.parametrize("respect_level", [False, True])
def test_listener_filters_by_level_on_request(respect_level):
    q, collector = xichan.Queue(), Collector()
    collector.setLevel(logging.WARNING)
    listener = logging.handlers.QueueListener(q, collector, respect_handler_level=respect_level)
    listener.start()
    log = logger(q)
    log.info("one")
    log.warning("two")
    listener.stop()  # after all that was logged before
    assert [record.message for record in collector.records] == (["two"] if respect_level else ["one", "two"])


def test_listener_can_be_restarted():
    q, collector = xichan.Queue(), Collector()
    listener = logging.handlers.QueueListener(q, collector)
    log = logger(q)
    for i in range(3):
        listener.start()
        log.info("round %d", i)
        q.join()
        listener.stop()
    assert [record.message for record in collector.records] == ["round 0", "round 1", "round 2"]


def test_full_queue_is_reported_by_the_handler(capsys):
    q = xichan.Queue(1)
    log = logger(q)
    log.info("kept")
    log.info("too much")
    assert "QueueFull" in capsys.readouterr().err
    assert q.get().message == "kept" and q.empty()


def test_record_with_unshareable_extra_needs_a_queue_that_pickles(capsys):
    q = xichan.Queue()
    log = logger(q)
    log.info("lost", extra={"pattern": re.compile("x")})
    assert "NotShareableError: " in capsys.readouterr().err and q.empty()
    q = xichan.Queue(pickle=True)
    logger(q).info("kept", extra={"pattern": re.compile("x")})
    assert q.get().pattern == re.compile("x") and q.stats().pickled == 1


def test_shutdown_ends_a_waiting_listener():
    q = xichan.Queue()
    call = Call(logging.handlers.QueueListener(q, Collector()).dequeue, True)
    wait_until(lambda: q.stats().waiting_receivers == 1)
    q.shutdown()
    with pytest.raises(queue.ShutDown):
        call.result()
