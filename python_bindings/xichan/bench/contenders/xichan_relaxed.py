"""xichan.channel(flavor="relaxed"): FIFO per Sender only."""

from xichan.bench.contenders._xichan import XichanContender


class XichanRelaxed(XichanContender):
    name = "xichan-relaxed"
    title = "xichan, relaxed"
    variant = "flavor"
    options = {"flavor": "relaxed"}
