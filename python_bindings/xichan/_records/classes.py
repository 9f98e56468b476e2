"""Dataclasses, named tuples and enums.

No method of a class runs to send one of its objects or to make it again, except for enums: the attributes are read
and set as ``object`` does, and a named tuple is made by ``tuple``.
"""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, MemberDescriptorType
from weakref import WeakKeyDictionary

from .._errors import NotShareableError
from . import ATTRIBUTES, FILL, ITEMS, MAKE, REDUCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import _Plan, _Resolved, _TypeTuple

_DROPPED = "__orig_class__"  # what calling a generic alias adds to an object
_MOST_REFERENCES = 10_000
_get_attribute = object.__getattribute__
_references: dict[_TypeTuple, _TypeTuple] = {}
# The names of the slots of dataclasses, and of slots and fields. Not the slots, which would keep their class alive.
_shapes: WeakKeyDictionary[type, tuple[tuple[str, ...], tuple[str, ...]]] = WeakKeyDictionary()


def plan(cls: type) -> _Plan | None:
    """Return the plan of a dataclass, named tuple or enum, else None."""
    if is_enum(cls):
        return _plan_enum(cls)
    if cls is ClassName:
        return REDUCE, None, lambda obj: ((obj.cls.__module__, obj.cls.__qualname__, "class", ()),)
    if is_named_tuple(cls):
        reference = _reference(cls, "tuple", _fields_of(cls))
        if cls.__dictoffset__ == 0:
            return ITEMS, reference, None
        return REDUCE, reference, _reduce_tuple
    if is_dataclass(cls):
        slots, names = _shape_of(cls)
        if cls.__dictoffset__ == 0 or not (slots or any(_is_data_descriptor(cls, name) for name in names)):
            return ATTRIBUTES, _reference(cls, "fields", names), names
        return REDUCE, None, reduce_attributes
    return None


def resolve(cls: Any, form: str, names: tuple[str, ...]) -> _Resolved:
    """Return how objects of a class are made that has this form and these fields."""
    if form == "enum" and is_enum(cls):
        return MAKE, cls, (cls if names == ("bits",) else cls.__members__.__getitem__), None
    if form == "tuple" and is_named_tuple(cls):
        count = len(cls._fields)
        if names == cls._fields:
            return ITEMS, cls, None, None
        if names[:count] == cls._fields:
            return MAKE, cls, lambda *fields: _make_tuple(cls, fields, names[count:]), None
        raise LookupError(f"{cls.__qualname__} has the fields {cls._fields} in this interpreter, not {names}")
    if form == "fields" and is_dataclass(cls):
        slots = slots_of(cls)
        if all(_is_slot(cls, name, slots) or not _is_data_descriptor(cls, name) for name in names):
            return ATTRIBUTES, cls, None, None
        return FILL, cls, object.__new__, lambda obj, *fields: _fill(obj, slots, names, fields)
    if form == "class":
        return MAKE, cls, lambda: cls, None
    raise LookupError(f"{cls.__module__}.{cls.__qualname__} is not of the form {form!r} in this interpreter")


def is_enum(cls: type) -> bool:
    """Return whether a class is an enum."""
    enum = sys.modules.get("enum")
    return enum is not None and isinstance(cls, enum.EnumType)


def is_named_tuple(cls: type) -> bool:
    """Return whether a class is a named tuple, or derived from one."""
    return issubclass(cls, tuple) and cls is not tuple and _fields_of(cls) is not None


def is_dataclass(cls: type) -> bool:
    """Return whether a class is a dataclass, or derived from one, whose objects hold nothing but attributes."""
    return "dataclasses" in sys.modules and hasattr(cls, "__dataclass_fields__") and builtin_base(cls) is object


def builtin_base(cls: type) -> Any:
    """Return the class in C that makes the objects of a class."""
    return next(base for base in cls.__mro__ if isinstance(base.__dict__.get("__new__"), BuiltinFunctionType))


def slots_of(cls: type) -> dict[str, MemberDescriptorType]:
    """Return the slots of a class, those of its bases first."""
    found: dict[str, MemberDescriptorType] = {}
    for base in reversed(cls.__mro__):
        for name, value in base.__dict__.items():
            if isinstance(value, MemberDescriptorType) and issubclass(cls, value.__objclass__):
                found[name] = value
    return found


def reduce_attributes(obj: object) -> tuple[Any, ...]:
    """Return (type reference, field, ...) of a dataclass, with the attributes that this object has.

    Called for a named tuple only if its items are not those of its class.
    """
    cls = type(obj)
    if issubclass(cls, tuple):
        raise _other_length(cls)
    slots, names = _shape_of(cls)
    found = dict(_get_attribute(obj, "__dict__")) if cls.__dictoffset__ != 0 else {}
    found.pop(_DROPPED, None)
    for name in slots:
        try:
            found[name] = _slot(cls, name).__get__(obj)
        except AttributeError:  # not set
            pass
    ordered = {name: found[name] for name in names if name in found} | found
    return _reference(cls, "fields", _checked(ordered, cls)), *ordered.values()


def attributes_of(cls: type) -> set[str]:
    """Return the names of the fields and slots of a dataclass."""
    return {*_shape_of(cls)[1]}


def _slot(cls: type, name: str) -> MemberDescriptorType:
    found = (base.__dict__.get(name) for base in cls.__mro__)
    return next(slot for slot in found if isinstance(slot, MemberDescriptorType) and issubclass(cls, slot.__objclass__))


def _shape_of(cls: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    shape = _shapes.get(cls)
    if shape is None:
        from dataclasses import fields

        slots = tuple(slots_of(cls))
        names = tuple(dict.fromkeys([*(field.name for field in fields(cls)), *slots]))
        shape = _shapes[cls] = slots, names
    return shape


def _reference(cls: type, form: str, names: Any) -> _TypeTuple:
    """Return the type reference, the same object each time, so that a message has it once."""
    key = (cls.__module__, cls.__qualname__, form, names)
    if len(_references) == _MOST_REFERENCES:  # objects whose attributes have ever new names
        _references.clear()
    return _references.setdefault(key, key)


def _checked(found: dict[Any, Any], cls: type) -> tuple[str, ...]:
    for name in found:
        if type(name) is not str:
            raise NotShareableError(f"{cls.__module__}.{cls.__qualname__} has an attribute whose name is not a str")
    return tuple(found)


def _fill(obj: Any, slots: dict[str, MemberDescriptorType], names: tuple[str, ...], fields: tuple[Any, ...]) -> None:
    for name, value in zip(names, fields):
        if name in slots:
            slots[name].__set__(obj, value)
        else:
            _get_attribute(obj, "__dict__")[name] = value


def _is_data_descriptor(cls: type, name: str) -> bool:
    return hasattr(type(_class_attribute(cls, name)), "__set__")


def _is_slot(cls: type, name: str, slots: dict[str, MemberDescriptorType]) -> bool:
    """Return whether a name means a slot; a subclass may have something else under it."""
    return name in slots and _class_attribute(cls, name) is slots[name]


def _class_attribute(cls: type, name: str) -> object:
    return next((base.__dict__[name] for base in cls.__mro__ if name in base.__dict__), None)


def _fields_of(cls: Any) -> tuple[str, ...] | None:
    names = getattr(cls, "_fields", None)
    return names if type(names) is tuple and all(type(name) is str for name in names) else None


def _reduce_tuple(obj: Any) -> tuple[Any, ...]:
    cls = type(obj)
    found = _get_attribute(obj, "__dict__")
    names = _fields_of(cls) or ()
    if len(names) != tuple.__len__(obj):
        raise _other_length(cls)
    return _reference(cls, "tuple", names + _checked(found, cls)), *tuple.__iter__(obj), *found.values()


def _other_length(cls: type) -> NotShareableError:
    name = f"{cls.__module__}.{cls.__qualname__}"
    return NotShareableError(f"{name} is not shareable with more or fewer items than _fields; send tuple(...) of it")


def _make_tuple(cls: Any, fields: tuple[Any, ...], names: tuple[str, ...]) -> object:
    count = len(fields) - len(names)
    made = tuple.__new__(cls, fields[:count])
    _get_attribute(made, "__dict__").update(zip(names, fields[count:]))
    return made


def _plan_enum(cls: Any) -> _Plan:
    by_name, by_value = _reference(cls, "enum", ("name",)), _reference(cls, "enum", ("bits",))

    def reduce(obj: Any) -> tuple[Any, ...]:  # without a reference to the class, which the plan must not keep alive
        name = obj._name_
        if type(obj)._member_map_.get(name) is obj:
            return by_name, name
        return by_value, obj._value_  # a combination of flags without a name

    return REDUCE, by_name, reduce


class ClassName:
    """Stands for a class among the arguments of an exception: it travels by its name. Elsewhere a class is refused."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
