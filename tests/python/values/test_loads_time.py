"""loads() of keys that are slow to hash or compare, and of ints that are slow to divide: refused, and interruptible."""

import dataclasses
import uuid

import pytest
from support import run_script
from support.dump_format import DICT, RANGE, RECORD, SET, retagged, slow_keys

import xichan

PRIME = 2**61 - 1  # the modulus of the hashes of numbers
TOO_LONG = "takes too long for the size of the dump"


@dataclasses.dataclass(frozen=True)
class Pair:
    one: object
    other: object


@dataclasses.dataclass(frozen=True, eq=False)
class ByIdentity:
    one: object
    other: object


def equal_hashes(count):
    """Return values of different types whose hashes are equal, `count` of each."""
    ints = [PRIME * (1024 + i) for i in range(count)]
    return {
        "int": ints,
        "complex": [complex(-1000003 * i, i) for i in range(count)],
        "tuple": [(number, 5) for number in ints],
        "frozenset": [frozenset({number}) for number in ints],
        "range": [range(number, number + 7) for number in ints],
        "UUID": [uuid.UUID(int=number) for number in ints],
        "dataclass": [Pair(number, 5) for number in ints],
        "view": [Pair(number, 5) for number in ints],
    }


@pytest.mark.parametrize("name", equal_hashes(0))
def test_many_keys_of_one_hash_are_refused(name):
    keys = equal_hashes(8000)[name]
    assert name == "view" or len({hash(key) for key in keys[:100]}) == 1
    classes = () if name == "view" else [Pair]
    entries = [part for key in keys for part in (key, None)]
    for data in (retagged(keys, SET), retagged(entries, DICT)):
        with pytest.raises(xichan.DecodeError, match=TOO_LONG):
            xichan.loads(data, classes=classes)


@pytest.mark.parametrize("name", equal_hashes(0))
def test_some_keys_of_one_hash_are_loaded(name):
    keys = equal_hashes(300)[name]
    loaded = xichan.loads(xichan.dumps([set(keys), dict.fromkeys(keys, 1)]), classes=[Pair])
    assert loaded == [set(keys), dict.fromkeys(keys, 1)]


def test_keys_of_different_hashes_are_loaded():
    shared = (*range(2000),)
    keys = {(i, shared): frozenset({i}) for i in range(20_000)}
    value = [
        keys,
        {Pair(i, shared) for i in range(200)},
        {2**i for i in range(10_000)},
        {i + 0.5 for i in range(50_000)},
    ]
    assert xichan.loads(xichan.dumps(value), classes=[Pair]) == value


def test_objects_that_are_keys_by_identity_are_loaded():
    node = ByIdentity(1, None)
    for _ in range(100):
        node = ByIdentity(node, node)
    (loaded,) = xichan.loads(xichan.dumps({node}), classes=[ByIdentity])
    assert type(loaded) is ByIdentity and loaded.one is loaded.other


@pytest.mark.parametrize("name", slow_keys())
def test_keys_that_share_their_parts_are_refused(name):
    """Hashing one of them visits its parts again and again."""
    data = slow_keys()[name]
    with pytest.raises(ValueError, match=f"{TOO_LONG}|nested too deeply"):
        xichan.loads(data, classes=[Pair])


def test_division_of_long_ints_is_refused():
    million = 8_000_000  # bits
    stop, step = (1 << million) // 3, (1 << million // 2) // 7
    for data in (retagged([0, stop, step], RANGE), retagged([8, stop, step], RECORD)):
        with pytest.raises(xichan.DecodeError, match=TOO_LONG):
            xichan.loads(data)
    short = range(-(10**3000), 10**3000, 10**1000)
    assert xichan.loads(xichan.dumps(short)) == short


def test_interruption_of_loads_by_a_signal():
    run_script("""
        import faulthandler, signal, time
        from support.dump_format import SET, retagged
        import xichan

        faulthandler.dump_traceback_later(60, exit=True)
        PRIME = 2**61 - 1
        # Below the limit, but slow: many hashes, each of some keys.
        data = retagged([PRIME * (1024 + i) + j for j in range(200) for i in range(1000)], SET)
        calls = []
        signal.signal(signal.SIGALRM, lambda number, frame: calls.append(time.process_time()))
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
        signal.siginterrupt(signal.SIGALRM, False)
        try:
            loaded = xichan.loads(data)
        except xichan.DecodeError:
            loaded = ()
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert len(calls) > 5, len(calls)

        class Stop(BaseException):
            pass

        def stop(number, frame):
            raise Stop

        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        try:
            xichan.loads(data)
        except Stop:
            pass
        else:
            raise AssertionError("not interrupted")
        assert xichan.loads(xichan.dumps([1])) == [1]
        """)
