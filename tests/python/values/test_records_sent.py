"""Records through everything that takes a value."""

import logging
import logging.handlers
import queue

import pytest
from hypothesis import HealthCheck, given, settings
from support import execute, interpreter, record_strategies, run_script
from support import record_types as t
from support.pool_tasks import identity
from support.record_samples import CLASSES, all_samples
from support.reference_records import Encoder, alike, differences

import xichan


def through_channel(value):
    tx, rx = xichan.channel(1)
    with tx, rx:
        tx.send(value)
        return rx.recv()


def through_select(value):
    tx, rx = xichan.channel(1)
    with tx, rx:
        xichan.select([(tx, value)])
        return xichan.select([rx])[1]


def through_queue(value):
    q = xichan.Queue()
    q.put(value)
    return q.get()


def through_view(value):
    tx, rx = xichan.channel(1)
    with tx, rx:
        tx.send((value,))
        return rx.recv(copy=False).value()[0]


def through_share(value):
    return xichan.share((value,)).value()[0]


def through_dump(value):
    return xichan.loads(xichan.dumps(value), classes=CLASSES)


WAYS = [through_channel, through_select, through_queue, through_view, through_share, through_dump]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", all_samples())
def test_object_arrives_as_it_was(way, name):
    value = all_samples()[name]
    for sent in (value, [value, {"key": (value,)}]):
        assert xichan.is_shareable(sent)
        back = way(sent)
        assert differences(Encoder().encode(sent), Encoder().encode(back)) == []


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(record_strategies.values)
def test_any_value_arrives_as_it_was(value):
    for way in (through_channel, through_dump):
        back = way(value)
        assert differences(Encoder().encode(value), Encoder().encode(back)) == []


def test_samples_pass_a_pool():
    samples = all_samples()
    with xichan.InterpreterPoolExecutor(1, pickle=False) as pool:
        for value, back in zip(samples.values(), pool.map(identity, samples.values())):
            assert alike(value, back)


ECHO = """
    from support.record_samples import all_samples
    from support.reference_records import alike

    samples = all_samples()
    for name, value in samples.items():
        got_name, got = rx.recv()
        assert got_name == name and alike(got, value), name
        back.send((name, value))
"""


def test_samples_pass_between_interpreters():
    pytest.importorskip("concurrent.interpreters")
    (tx, rx), (back, results) = xichan.channel(8), xichan.channel(8)
    with tx, rx, back, results, interpreter(rx=rx, back=back) as interp:
        call = execute(interp, ECHO)
        for name, value in all_samples().items():
            tx.send((name, value))
            got_name, got = results.recv(timeout=60)
            assert got_name == name and alike(got, value)
        call.result()


def test_classes_of_main_are_those_of_the_receiver():
    run_script("""
        import dataclasses, enum, xichan
        from concurrent import interpreters

        CLASSES = '''
        import dataclasses, enum
        @dataclasses.dataclass
        class Order:
            number: int
            items: list
        class Side(enum.Enum):
            BUY = 1
        class Broken(Exception):
            def __init__(self, a, b): super().__init__(a); self.b = b
        '''
        exec(CLASSES.replace("\\n        ", "\\n"))
        (tx, rx), (back, results) = xichan.channel(4), xichan.channel(4)
        interp = interpreters.create()
        interp.prepare_main(rx=rx, back=back)
        interp.exec(CLASSES.replace("\\n        ", "\\n"))
        sent = [Order(1, [Side.BUY]), Broken("a", 2)]
        tx.send(sent)
        interp.exec('''if True:
            got = rx.recv()
            order, error = got
            assert type(order) is Order and order == Order(1, [Side.BUY]), got
            assert type(error) is Broken and (error.args, error.b) == (("a",), 2)
            back.send([Order(2, [got]), error])
        ''')
        order, error = results.recv()
        assert type(order) is Order and order.number == 2 and order.items[0][0] == sent[0]
        assert type(error) is Broken and error.b == 2
        interp.close()
    """)


def test_class_that_the_receiver_lacks_raises_decode_error():
    """The message is consumed; its content is left in the error, and can be sent on."""
    run_script("""
        import dataclasses, xichan
        from concurrent import interpreters

        @dataclasses.dataclass
        class Order:
            number: int
            items: list

        tx, rx = xichan.channel(4)
        back, results = xichan.channel(4)
        interp = interpreters.create()
        interp.prepare_main(rx=rx, back=back)
        tx.send([1, Order(7, ["x"])])
        tx.send("next")
        interp.exec('''if True:
            import xichan
            try:
                rx.recv()
            except xichan.DecodeError as error:
                assert "Order" in str(error) and "__main__" in str(error), error
                record = error.record
                assert record.number == 7 and list(record.items) == ["x"]
                assert isinstance(error.__cause__, LookupError)
            else:
                raise AssertionError
            assert rx.recv() == "next"
            back.send(record)
        ''')
        assert results.recv() == Order(7, ["x"])
        interp.close()
    """)


def test_dump_makes_only_listed_classes():
    data = xichan.dumps([t.Point(1, t.Pair(2, 3)), ValueError("x"), t.Color.RED])
    point, error, color = xichan.loads(data)
    assert {type(part) for part in (point, color)} == {xichan.RecordView}
    assert point.x == 1 and point.y.right == 3 and color.name == "RED"
    assert type(error) is ValueError and error.args == ("x",)
    point, _, color = xichan.loads(data, classes=[t.Point])
    assert type(point) is t.Point and type(point.y) is xichan.RecordView and type(color) is xichan.RecordView
    t.CALLS.clear()


LOG = """
    import logging, logging.handlers, threading
    from support import record_types as t

    class Raw(logging.handlers.QueueHandler):
        def prepare(self, record):
            return record

    logger = logging.getLogger(name)
    logger.setLevel(logging.INFO)
    logger.addHandler((Raw if raw else logging.handlers.QueueHandler)(q))
    for i in range(50):
        try:
            if i % 10 == 0:
                {}[i]
            logger.info("number %d of %s", i, name, extra={"details": [name, {"i": i}], "point": t.Point(i)})
        except KeyError:
            logger.exception("failed %s", t.Pair(i, name), extra={"details": [name, {"i": i}]}, stack_info=True)
"""


class Collector(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append((self.format(record), record))


@pytest.mark.parametrize("raw", [False, True], ids=["prepared", "raw"])
def test_log_records_of_four_workers_arrive_whole(raw):
    pytest.importorskip("concurrent.interpreters")
    q, collector = xichan.Queue(), Collector()
    listener = logging.handlers.QueueListener(q, collector)
    listener.start()
    names = ["one", "two", "three", "four"]
    with (
        interpreter(q=q, name=names[0], raw=raw) as a, interpreter(q=q, name=names[1], raw=raw) as b,
        interpreter(q=q, name=names[2], raw=raw) as c, interpreter(q=q, name=names[3], raw=raw) as d,
    ):  # fmt: skip
        for call in [execute(interp, LOG) for interp in (a, b, c, d)]:
            call.result()
    q.join()
    listener.stop()
    assert len(collector.records) == 200
    for name in names:
        mine = [(text, record) for text, record in collector.records if record.name == name]
        for i, (text, record) in enumerate(mine):
            assert record.details == [name, {"i": i}]
            if i % 10:
                assert text == record.getMessage() == f"number {i} of {name}" and record.point == t.Point(i)
                assert record.args == ((i, name) if raw else None)
                continue
            assert text.startswith(f"failed Pair(left={i}, right='{name}')\nTraceback (most recent call last):")
            assert f"KeyError: {i}" in text and "Stack (most recent call last)" in text
            if raw:
                assert record.exc_info[0] is KeyError and record.exc_info[1].args == (i,)
                assert record.args == (t.Pair(i, name),)


def test_refusal_names_the_place_and_the_item():
    tx, rx = xichan.channel(1)
    part = t.Plain()
    for value, path in [
        ([t.Point(1, part)], "value[0].y"),
        (t.Pair(1, {"key": part}), "value.right['key']"),
        ({"a": t.Slotted(part)}, "value['a'].a"),
        (ValueError(1, part), "value.args[1]"),
    ]:
        with pytest.raises(xichan.NotShareableError) as caught:
            tx.send(value)
        assert caught.value.item is part and caught.value.path == path
        assert str(caught.value).startswith(f"{path}: support.record_types.Plain is not shareable; ")
        assert not xichan.is_shareable(value)
    with pytest.raises(queue.Empty):
        rx.recv_nowait()
    tx.close()
    rx.close()
