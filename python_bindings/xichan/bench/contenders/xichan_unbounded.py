"""xichan.channel(None): of any capacity."""

from xichan.bench.contenders._xichan import Xichan


class Contender(Xichan):
    name = "xichan-unbounded"
    title = "xichan, unbounded"
    variant = "flavor"
    options = {"capacity": None}
