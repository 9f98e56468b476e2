"""Loading of the files that each define one class: contenders and workloads."""


def only_subclass(module, base):
    """Return the one subclass of `base` that a module defines. Raises ValueError if it defines none or several."""
    found = {
        value: None
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    }
    if len(found) != 1:
        names = ", ".join(cls.__name__ for cls in found) or "none"
        raise ValueError(f"{module.__file__}: expected exactly one subclass of {base.__name__}, found {names}")
    return next(iter(found))
