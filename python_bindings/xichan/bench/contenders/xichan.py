"""xichan.channel() as it is by default: bounded, for any number of senders and receivers."""

from xichan.bench.contenders._xichan import Xichan


class Contender(Xichan):
    name = "xichan"
    title = "xichan"
