def noop(*args: object, **kwargs: object) -> None:
    """Do nothing, with any arguments."""

def ring(n: int, /) -> float:
    """Return the seconds per cell when one thread passes n cells to another through a ring."""

def ring_round_trip(n: int, /) -> float:
    """Return the seconds per round trip of a cell through two rings, spinning."""

def wake_up(n: int, /) -> float:
    """Return the seconds per round trip of two threads that wake each other by futex."""
