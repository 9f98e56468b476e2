"""Objects that interpreters share: how they travel, what finds them, and how long they live."""

import contextlib
import copy
import gc
import pickle
import weakref

import pytest
from support import Call, interpreter, wait_until

import xichan
from xichan import AtomicInt, Barrier, Cell, Condition, Event, Lock, RLock, Semaphore

MAKE = {
    "AtomicInt": lambda **named: AtomicInt(3, **named),
    "Cell": lambda **named: Cell(("text that needs a block of its own", 1), **named),
    "Lock": Lock,
    "RLock": RLock,
    "Semaphore": lambda **named: Semaphore(3, **named),
    "Event": Event,
    "Barrier": lambda **named: Barrier(3, **named),
    "Condition": lambda **named: Condition(**named),
}
KINDS = pytest.mark.parametrize("kind", MAKE)


@KINDS
def test_received_object_is_the_same(kind):
    obj = MAKE[kind]()
    tx, rx = xichan.channel(8)
    for sent in (obj, (1, [obj, {"key": obj}])):
        tx.send(sent)
    assert rx.recv() == obj
    _, (first, named) = rx.recv()
    assert first == named["key"] == obj and type(first) is type(obj)
    assert hash(first) == hash(obj) and len({first, obj}) == 1
    assert first != MAKE[type(obj).__name__]()


@KINDS
def test_object_outlives_its_handles_in_a_message(kind):
    tx, rx = xichan.channel(1)
    tx.send(MAKE[kind](name="travels"))
    gc.collect()
    assert rx.recv().name == "travels"
    with pytest.raises(xichan.NotFound):
        xichan.lookup("travels")


@KINDS
def test_object_travels_by_queue_share_publish_and_prepare_main(kind):
    obj = MAKE[kind]()
    queue = xichan.Queue(1)
    queue.put(obj)
    assert queue.get() == obj
    queue.put(xichan.share((obj, obj)))
    assert queue.get().value()[1] == obj
    xichan.publish("published", obj)
    assert xichan.lookup("published") == obj
    xichan.unpublish("published")
    with interpreter(obj=obj) as interp:
        interp.exec(f"import xichan; assert type(obj) is xichan.{type(obj).__name__}")


@KINDS
def test_object_is_an_argument_and_result_of_a_pool(pool, kind):
    obj = MAKE[kind]()
    from support import pool_tasks

    assert pool.submit(pool_tasks.identity, obj).result() == obj


@KINDS
def test_object_cannot_leave_the_process(kind):
    obj = MAKE[kind]()
    with pytest.raises(xichan.NotShareableError, match="cannot leave"):
        xichan.dumps(obj)
    assert xichan.is_shareable(obj)


@KINDS
def test_pickle_and_copy_return_the_same_object(kind):
    obj = MAKE[kind]()
    data = pickle.dumps(obj)
    assert pickle.loads(data) == obj == pickle.loads(data)
    assert copy.copy(obj) == obj == copy.deepcopy(obj)


@KINDS
def test_pickle_of_an_object_that_is_gone_raises(kind):
    obj = MAKE[kind]()
    data = pickle.dumps(obj)
    del obj
    assert pickle.loads(data).name is None  # the ticket kept it
    with pytest.raises(xichan.NotFound):
        pickle.loads(data)


@KINDS
def test_lookup_finds_a_named_object(kind):
    obj = MAKE[kind](name="shared name")
    assert obj.name == "shared name" and type(obj).lookup("shared name") == obj
    assert xichan.lookup("shared name") == obj
    with pytest.raises(xichan.Error, match="in use"):
        MAKE[kind](name="shared name")
    with pytest.raises(xichan.Error, match="in use"):
        xichan.publish("shared name", 1, replace=True)
    for other in MAKE:
        if other != kind:
            with pytest.raises(xichan.NotFound, match=other):
                getattr(xichan, other).lookup("shared name")
    with pytest.raises(xichan.NotFound):
        xichan.Sender.lookup("shared name")
    del obj
    with pytest.raises(xichan.NotFound):
        xichan.lookup("shared name")
    assert MAKE[kind](name="shared name").name == "shared name"


@KINDS
def test_lookup_waits_for_the_name(kind):
    call = Call(getattr(xichan, kind).lookup, "comes later", 30)
    obj = MAKE[kind](name="comes later")
    assert call.result() == obj
    with pytest.raises(xichan.NotFound):
        type(obj).lookup("never comes", timeout=0.01)


@KINDS
def test_lookup_works_in_another_interpreter(kind):
    obj = MAKE[kind](name="from elsewhere")
    with interpreter() as interp:
        interp.exec(f"import xichan; found = xichan.{kind}.lookup('from elsewhere'); assert found.name")
        assert [o for o in xichan.objects() if o == obj] == [obj]
        del obj
        gc.collect()
        assert xichan.lookup("from elsewhere").name == "from elsewhere"  # the other interpreter holds it
    with pytest.raises(xichan.NotFound):
        xichan.lookup("from elsewhere")


def test_objects_lists_all_oldest_first():
    before = xichan.objects()
    made = [make() for make in MAKE.values()]
    listed = [obj for obj in xichan.objects() if obj not in before]
    kinds = [type(obj).__name__ for obj in listed]
    assert kinds == ["AtomicInt", "Cell", "Lock", "RLock", "Semaphore", "Event", "Barrier", "RLock", "Condition"]
    assert made == [obj for obj in listed if obj in made]


def test_objects_are_seen_complete_while_others_make_them():
    stop = Event()

    def make():
        while not stop.is_set():
            for _ in range(20):
                with contextlib.suppress(xichan.Error):  # the other thread still holds the last one
                    assert Lock(name="made and dropped").name == "made and dropped"

    call = Call(make)
    for _ in range(300):
        for obj in xichan.objects():
            assert obj.name in (None, "made and dropped")
    stop.set()
    call.result()


@KINDS
def test_weak_references_and_finalizers(kind):
    obj = MAKE[kind]()
    gone = []
    reference = weakref.ref(obj, gone.append)
    assert reference() is obj
    del obj
    assert reference() is None and gone == [reference]


@KINDS
def test_class_rules(kind):
    obj = MAKE[kind]()
    cls = getattr(xichan, kind)
    with pytest.raises(TypeError):
        type("Sub", (cls,), {})
    with pytest.raises((TypeError, AttributeError)):
        cls.attribute = 1
    with pytest.raises(AttributeError):
        obj.attribute = 1
    assert obj.__class__ is cls and cls[int]
    with pytest.raises(TypeError):
        cls.__base__()
    with pytest.raises(TypeError):
        cls.__base__.lookup("name")


@KINDS
@pytest.mark.parametrize("name", ["", 1, b"name", "\udc80"])
def test_names_are_checked(kind, name):
    with pytest.raises((TypeError, ValueError)):
        MAKE[kind](name=name)
    with pytest.raises((TypeError, ValueError)):
        getattr(xichan, kind).lookup(name)


def test_publish_replaces_without_a_gap():
    xichan.publish("replaced", 0)
    stop = Event()

    def look():
        seen = 0
        while not stop.is_set():
            value = xichan.lookup("replaced")
            assert value >= seen
            seen = value

    calls = [Call(look) for _ in range(2)]
    for number in range(3000):
        xichan.publish("replaced", number, replace=True)
    stop.set()
    for call in calls:
        call.result()
    assert xichan.lookup("replaced") == 2999
    xichan.unpublish("replaced")
    xichan.publish("replaced", 1, replace=True)
    with pytest.raises(xichan.Error, match="in use"):
        xichan.publish("replaced", 2)
    assert xichan.lookup("replaced") == 1
    xichan.unpublish("replaced")


def test_publishers_that_replace_never_meet_a_name_in_use():
    def publish():
        for number in range(500):
            xichan.publish("contended", number, replace=True)

    def unpublish():
        for _ in range(500):
            try:
                xichan.unpublish("contended")
            except xichan.NotFound:
                pass

    for call in [Call(publish), Call(publish), Call(unpublish)]:
        call.result()
    xichan.publish("contended", None, replace=True)
    xichan.unpublish("contended")


@KINDS
def test_handles_of_an_interpreter_that_ends_are_released(kind):
    obj = MAKE[kind](name="held elsewhere")
    with interpreter(obj=obj) as interp:
        interp.exec("keep = [obj, (obj, obj)]; keep.append(keep)")
        del obj
        wait_until(lambda: xichan.lookup("held elsewhere") is not None)
    with pytest.raises(xichan.NotFound):
        xichan.lookup("held elsewhere")
