"""Exceptions: type, arguments, attributes with the notes, and cause.

No method of a class runs: an exception is made by the ``__new__`` of its built-in base, and its attributes are set. The
context and the traceback stay behind, as in a pickle.
"""

from __future__ import annotations

from types import GetSetDescriptorType, MemberDescriptorType

from .. import _core
from . import FILL, REDUCE, find_loaded
from .classes import ClassName, builtin_base

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import _Plan, _Resolved

_NAMES = ("args", "attributes", "cause", "suppress_context")
_GROUP_NAMES = (*_NAMES, "message", "exceptions")  # what the class in C needs to make a group
# Used in place of attributes, which a class may define otherwise. A cause suppresses the context, so it comes first.
_ARGS, _CAUSE, _SUPPRESS, _DICT = (
    BaseException.__dict__[name] for name in ("args", "__cause__", "__suppress_context__", "__dict__")
)
_MESSAGE, _EXCEPTIONS = (BaseExceptionGroup.__dict__[name] for name in ("message", "exceptions"))
# Set by select(), by a failed receive and by a refusal: these would keep a channel open or a message alive, or are
# themselves refused.
_DROPPED = {
    "xichan.ChannelClosed": {"case"},
    "xichan.DecodeError": {"case", "_message"},
    "xichan.NotShareableError": {"item"},
}
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE
_PLAIN = (type(None), bool, int, float, complex, str, bytes)


def plan(cls: type[BaseException]) -> _Plan:
    """Return the plan of an exception class."""
    members = _members_of(cls)
    # The plan must not keep the class alive, as its slots would.
    known = None if any(member.__objclass__.__flags__ & _HEAP_TYPE for member in members.values()) else members
    is_group, is_attribute_error = issubclass(cls, BaseExceptionGroup), issubclass(cls, AttributeError)
    reference = (cls.__module__, cls.__qualname__, "exception", names_of(cls))
    dropped = set().union(*(_DROPPED.get(f"{base.__module__}.{base.__qualname__}", ()) for base in cls.__mro__))

    def reduce(obj: BaseException) -> tuple[Any, ...]:
        found = _items(obj, _members_of(type(obj)) if known is None else known)
        attributes = {name: value for name, value in found if name not in dropped}
        # The object of an AttributeError is a hint for its message, and of any type.
        if is_attribute_error and type(attributes.get("obj")) not in _PLAIN:
            del attributes["obj"]
        args = tuple(map(_named, _ARGS.__get__(obj)))
        fields = reference, args, attributes, _CAUSE.__get__(obj), _SUPPRESS.__get__(obj)
        return (*fields, _MESSAGE.__get__(obj), _EXCEPTIONS.__get__(obj)) if is_group else fields

    return REDUCE, reference, reduce


def resolve(cls: type, names: tuple[str, ...]) -> _Resolved:
    """Return how exceptions of a class are made."""
    if not issubclass(cls, BaseException):
        raise LookupError(f"{cls.__module__}.{cls.__qualname__} is not an exception in this interpreter")
    if names != names_of(cls):
        raise LookupError(f"{cls.__module__}.{cls.__qualname__} has other fields in this interpreter than {names}")
    members = _members_of(cls)
    make = builtin_base(cls).__new__

    def fill(obj: BaseException, *fields: Any) -> None:
        args, attributes, cause, suppress_context = fields
        if type(args) is not tuple or type(attributes) is not dict:  # from a foreign dump
            raise TypeError(f"expected a tuple and a dict, got {type(args).__name__} and {type(attributes).__name__}")
        _ARGS.__set__(obj, args)
        _CAUSE.__set__(obj, cause)
        _SUPPRESS.__set__(obj, suppress_context)
        for name, value in attributes.items():
            if name in members:
                members[name].__set__(obj, value)
            else:
                _DICT.__get__(obj)[name] = value

    def make_empty(cls: type) -> Any:
        return make(cls, "", (Exception() if issubclass(cls, Exception) else BaseException(),))

    def fill_group(obj: Any, *fields: Any) -> None:
        *others, message, exceptions = fields
        _core._fill_group(obj, message, exceptions)
        fill(obj, *others)

    if names == _GROUP_NAMES:
        return FILL, cls, make_empty, fill_group
    return FILL, cls, make, fill


def names_of(cls: type) -> tuple[str, ...]:
    """Return the names of the fields of an exception."""
    return _GROUP_NAMES if issubclass(cls, BaseExceptionGroup) else _NAMES


def _members_of(cls: type[BaseException]) -> dict[str, Any]:
    """Return the attributes outside ``__dict__``: slots, and what the classes in C have."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        for name, value in base.__dict__.items():
            if isinstance(value, (MemberDescriptorType, GetSetDescriptorType)):
                found[name] = value
    hidden = ["args", *(name for name in found if name.startswith("__") and name.endswith("__"))]
    if issubclass(cls, BaseExceptionGroup):
        hidden += ("message", "exceptions")
    for name in hidden:
        found.pop(name, None)
    return found


def _items(obj: BaseException, members: dict[str, Any]) -> list[tuple[str, Any]]:
    found = []
    for name, member in members.items():
        try:
            value = member.__get__(obj)
        except (AttributeError, TypeError):  # not set
            continue
        if value is not None:
            found.append((name, value))
    return found + list(_DICT.__get__(obj).items())


def _named(item: Any) -> Any:
    """Return an argument with the names of the classes in it: the decimal module, for one, raises lists of classes."""
    if type(item) in (list, tuple) and any(issubclass(type(part), type) for part in item):
        return type(item)(map(_name, item))
    return _name(item)


def _name(item: Any) -> Any:
    is_found = issubclass(type(item), type) and find_loaded(item.__module__, item.__qualname__) is item
    return ClassName(item) if is_found else item
