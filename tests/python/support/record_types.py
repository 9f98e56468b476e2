"""Classes for tests of records, importable in every interpreter."""

import collections
import enum
import typing
from dataclasses import InitVar, dataclass, field

Items = typing.TypeVar("Items")
CALLS = []  # what must not run


@dataclass
class Point:
    x: object
    y: object = 0

    def __post_init__(self):
        CALLS.append("__post_init__")


@dataclass(frozen=True, order=True)
class Frozen:
    name: object
    items: object = ()


@dataclass(slots=True)
class Slotted:
    a: object
    b: object = field(default_factory=list)


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True)
class FrozenSlotted:
    a: object
    _private: object = None


@dataclass
class Derived(Point):
    z: object = None


@dataclass(slots=True)
class SlottedDerived(Slotted):
    c: object = None


@dataclass
class DictOverSlots(Slotted):  # has slots and a __dict__
    d: object = None


class Undecorated(Point):
    """Inherits from a dataclass without being one."""


@dataclass
class Unusual:
    seed: InitVar[int]
    constant: typing.ClassVar[int] = 7
    computed: object = field(init=False)
    unset: object = field(init=False, repr=False, compare=False)

    def __post_init__(self, seed):
        self.computed = seed * 2


@dataclass
class Mangled:
    __hidden: object = 1


@dataclass
class Generic(typing.Generic[Items]):
    items: Items


@dataclass
class Strict:
    """Refuses every way to make it but its own."""

    value: object

    def __new__(cls, value, *, checked=True):
        CALLS.append("__new__")
        return super().__new__(cls)

    def __setattr__(self, name, value):
        CALLS.append("__setattr__")
        super().__setattr__(name, value)

    def __getattribute__(self, name):
        CALLS.append("__getattribute__")
        return super().__getattribute__(name)


class Upper:
    """A descriptor that stores under another name."""

    def __get__(self, obj, cls=None):
        return "DEFAULT" if obj is None else obj._text

    def __set__(self, obj, value):
        CALLS.append("__set__")
        obj._text = value.upper()


@dataclass
class Described:
    text: Upper = Upper()


@dataclass
class ReadOnly(Point):
    """A field is also a property of a subclass."""

    @property
    def x(self):
        return self.__dict__.get("x")

    @x.setter
    def x(self, value):
        self.__dict__["x"] = value


class Outer:
    @dataclass
    class Inner:
        value: object


Pair = collections.namedtuple("Pair", "left right")


class Triple(typing.NamedTuple):
    a: object
    b: object = 2
    c: object = None


class Rich(Pair):
    """A named tuple with methods, a __dict__, and another __new__."""

    def __new__(cls, both):
        return super().__new__(cls, both, both)

    def swapped(self):
        return self._make((self.right, self.left))


class Lean(Pair):
    __slots__ = ()

    def total(self):
        return self.left + self.right


class Color(enum.Enum):
    RED = 1
    CRIMSON = 1
    TABLE = [1, {}]  # unhashable

    def __init__(self, value):
        self.extra = value


class Number(enum.IntEnum):
    ONE = 1
    BIG = 2**80


class Word(enum.StrEnum):
    HELLO = enum.auto()


class Mode(enum.Flag):
    READ = 1
    WRITE = 2
    BOTH = 3
    OTHER = 8


class Bits(enum.IntFlag, boundary=enum.KEEP):
    A = 1
    B = 2


class Planet(float, enum.Enum):
    EARTH = 5.97
    MARS = 0.64


class Body(Point, enum.Enum):
    EARTH = 1, 2
    MARS = 3, 4


class Plain:
    """Not a record; some tests register it."""

    def __init__(self, value=None):
        self.value = value

    def __eq__(self, other):
        return type(self) is type(other) and self.value == other.value

    def __hash__(self):
        return hash(self.value)


class Failure(Exception):
    """Has an __init__ of other arguments."""

    def __init__(self, code, *, where):
        CALLS.append("Failure")
        super().__init__(f"code {code}")
        self.code, self.where = code, where


class NewFailure(ValueError):
    def __new__(cls, code, where):
        made = super().__new__(cls, f"{code} at {where}")
        made.where = where
        return made

    def __init__(self, code, where):
        super().__init__(code)


class SlottedFailure(KeyError):
    __slots__ = ("_hidden", "detail")


class FileFailure(OSError):
    def __init__(self, path):
        super().__init__(2, "missing", path)


@dataclass
class DataFailure(Exception):
    value: object


class Failures(ExceptionGroup):
    def __new__(cls, errors, code):
        made = super().__new__(cls, f"code {code}", errors)
        made.code = code
        return made

    def derive(self, errors):
        return Failures(errors, self.code)
