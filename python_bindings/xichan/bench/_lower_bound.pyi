def noop(*args: object, **kwargs: object) -> None:
    """Do nothing."""

def ring(n: int, /) -> float:
    """Seconds per cell when one thread passes n to another through a ring."""

def ring_round_trip(n: int, /) -> float:
    """Seconds per round trip of a cell through two rings, spinning."""

def wake_up(n: int, /) -> float:
    """Seconds per round trip of two threads that wake each other by futex."""
