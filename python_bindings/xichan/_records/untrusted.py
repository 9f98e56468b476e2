"""Records in foreign dumps: which of them become objects.

A dump may name any form and any fields. An object is made only if the type is one that sending an object of the class
produces, so that no code runs and no attribute is set that an honest dump would not lead to.
"""

from __future__ import annotations

import sys

from . import MAKE, exceptions, registry, resolve_as, standard
from .classes import attributes_of, is_dataclass, is_enum, is_named_tuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import _Resolved


def resolve(cls: type, form: str, names: tuple[str, ...]) -> _Resolved | None:
    """Return how objects of a class are made from a record of this form and these fields, or None for a view of it."""
    if not _is_sent_as(cls, form, names):
        return None
    if form == "enum":
        return MAKE, cls, _make_flags(cls) if names == ("bits",) else _make_member(cls), None
    return resolve_as(cls, form, names)


def _is_sent_as(cls: Any, form: str, names: tuple[str, ...]) -> bool:
    if form == "class":  # only among the arguments of an exception, which the extension checks
        return names == ()
    if form == "default_dict":  # of a defaultdict with the class as its factory
        return names == ("items",) and cls.__qualname__ not in standard.FACTORIES.get(cls.__module__, ())
    if registry.plan(cls) is not None:
        return form == "registered" and names == ("encoded",)
    if standard.plan(cls) is not None or standard.is_native(cls):
        return False
    if issubclass(cls, BaseException):
        return form == "exception" and names == exceptions.names_of(cls)
    if is_enum(cls):
        return form == "enum" and (names == ("name",) or (names == ("bits",) and _is_flag(cls)))
    if is_named_tuple(cls):
        extra = names[len(cls._fields) :] if form == "tuple" and names[: len(cls._fields)] == cls._fields else None
        return extra == () or (extra is not None and cls.__dictoffset__ != 0 and len({*extra}) == len(extra))
    if form != "fields" or not is_dataclass(cls) or len({*names}) != len(names):
        return False
    return cls.__dictoffset__ != 0 or attributes_of(cls).issuperset(names)


def _is_flag(cls: type) -> bool:
    return issubclass(cls, sys.modules["enum"].Flag)


def _make_member(cls: Any) -> Any:
    def make(name: object) -> object:
        return cls._member_map_.get(name, NotImplemented) if type(name) is str else NotImplemented

    return make


def _make_flags(cls: Any) -> Any:
    """Return a function that makes combinations of flags; NotImplemented for other values.

    It does not call the class: a class may define _missing_() and accept anything.
    """
    from enum import KEEP, Flag

    def make(value: object) -> object:
        if type(value) is not int or value < 0 or (value & ~cls._flag_mask_ and cls._boundary_ is not KEEP):
            return NotImplemented
        found = cls._value2member_map_.get(value)
        return Flag.__dict__["_missing_"].__func__(cls, value) if found is None else found

    return make
