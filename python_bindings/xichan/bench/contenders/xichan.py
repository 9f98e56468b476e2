"""xichan.channel() with its defaults: bounded, any number of senders and receivers."""

from xichan.bench.contenders._xichan import XichanContender


class XichanDefault(XichanContender):
    name = "xichan"
    title = "xichan"
