"""xichan.channel(flavor="relaxed"): first in, first out for each Sender only."""

from xichan.bench.contenders._xichan import Xichan


class Contender(Xichan):
    name = "xichan-relaxed"
    title = "xichan, relaxed"
    variant = "flavor"
    options = {"flavor": "relaxed"}
