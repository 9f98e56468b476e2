"""xichan.channel(None): unbounded."""

from xichan.bench.contenders._xichan import XichanContender


class XichanUnbounded(XichanContender):
    name = "xichan-unbounded"
    title = "xichan, unbounded"
    variant = "flavor"
    options = {"capacity": None}
