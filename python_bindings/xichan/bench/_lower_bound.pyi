def noop(*args: object, **kwargs: object) -> None:
    """Do nothing, with any arguments."""

def ring(n: int, /) -> float:
    """Return the seconds per cell when one thread passes n cells to another through a ring."""

def ring_round_trip(n: int, /) -> float:
    """Return the seconds per round trip of a cell through two rings, spinning."""

def rested_trip(n: int, rest: float, /) -> float:
    """Return the median seconds of a round trip of two threads that wake each other by futex.

    rest: the seconds before each of the n trips, from 0 to 1.
    """
