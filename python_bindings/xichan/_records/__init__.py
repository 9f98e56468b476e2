"""Records: how objects of a class are sent, and made again. Imported when an interpreter first meets one.

The extension calls ``plan()`` once per class and ``resolve()`` once per type reference, and keeps the results. A type
reference is a tuple (module, qualified name, form, names of the fields), or an int for a standard type. Modules are
imported only when an object or a message needs them: no class that an interpreter holds comes from a module that it
has not imported.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    type _TypeTuple = tuple[str, str, str, tuple[str, ...]]
    type _Plan = tuple[int, _TypeTuple | None, Any]
    type _Resolved = tuple[int, type, Callable[..., Any] | None, Callable[..., Any] | None]

# What the first item of a plan means.
ATTRIBUTES = 0  # detail: the names. All are slots, or all are entries of __dict__; see reduce_attributes()
ITEMS = 1  # the object is a tuple of its fields
REDUCE = 2  # detail(obj) returns (type reference, field, ...), or raises NotShareableError
REFUSED = 3  # detail(obj) returns a remedy, or ""

# What the first item of resolve() means. 0 and 1 as above.
FILL = 2  # create(cls), then fill(obj, *fields)
MAKE = 3  # create(*fields)


def plan(cls: type) -> _Plan:
    """Return (kind, type reference, detail): how objects of exactly this class are sent."""
    from . import classes, registry

    found = registry.plan(cls)
    if found is None:
        from . import standard

        found = standard.plan(cls)
        if found is not None:
            return found
        if issubclass(cls, BaseException):
            from . import exceptions

            found = exceptions.plan(cls)
        else:
            found = classes.plan(cls)
    if found is None:
        return REFUSED, None, remedy
    if find_loaded(cls.__module__, cls.__qualname__) is not cls:
        return REFUSED, None, _not_found
    return found


def resolve(reference: _TypeTuple) -> _Resolved:
    """Return (kind, class, create, fill): how objects of a type outside the standard ones are made.

    Imports the module. Raises an exception if the module has no such class, or the class has another form.
    """
    module, qualname, form, names = reference
    return resolve_as(find(module, qualname), form, names)


def resolve_untrusted(reference: _TypeTuple, cls: type) -> _Resolved | None:
    """Return the same for a type in a foreign dump and the class that it names. Imports nothing.

    Returns None if sending objects of the class does not produce this type.
    """
    if (cls.__module__, cls.__qualname__) != reference[:2]:  # a builtin with another name, such as IOError
        return None
    from . import untrusted

    return untrusted.resolve(cls, *reference[2:])


def resolve_as(cls: type, form: str, names: tuple[str, ...]) -> _Resolved:
    """Return how objects of a class are made that has this form and these fields."""
    if form == "registered":
        from . import registry

        return registry.resolve(cls)
    if form == "exception":
        from . import exceptions

        return exceptions.resolve(cls, names)
    if form == "default_dict":
        from . import builders

        return builders.resolve_default_dict(cls)
    from . import classes

    return classes.resolve(cls, form, names)


def resolve_standard(number: int) -> _Resolved:
    """Return (kind, class, create, fill) of a standard type (``StandardType`` in records.h)."""
    from . import builders

    return builders.resolve(number)


def reduce_attributes(obj: object) -> tuple[Any, ...]:
    """Return (type reference, field, ...) of an object that lacks an attribute of its plan, or has others too."""
    from . import classes

    return classes.reduce_attributes(obj)


def find(module: str, qualname: str) -> type:
    """Return a class by its name, and import its module. Raises LookupError if the module has no such class."""
    found = find_loaded(module, qualname)
    if not isinstance(found, type):  # not imported yet, or another thread is importing it
        from importlib import import_module

        import_module(module)
        found = find_loaded(module, qualname)
    if not isinstance(found, type):
        raise LookupError(f"module {module!r} has no class {qualname!r} in this interpreter")
    return found


def find_loaded(module: object, qualname: str) -> object:
    """Return what a module that is imported has under a qualified name, else None."""
    found: object = sys.modules.get(module) if isinstance(module, str) else None
    for name in qualname.split("."):
        found = getattr(found, name, None)
    return found


def remedy(obj: object) -> str:
    """Return what to send instead of an object."""
    from .._core import _forget_plan
    from .._remedies import remedy

    _forget_plan(type(obj))  # its class may become shareable: by register(), or when its module has it
    return remedy(obj)


def _not_found(obj: object) -> str:
    from .._core import _forget_plan

    cls = type(obj)
    _forget_plan(cls)
    if "<locals>" in cls.__qualname__:
        return "define its class at the top level of a module, where the receiver finds it"
    return f"its class must be importable from {cls.__module__!r} as {cls.__qualname__!r}"
