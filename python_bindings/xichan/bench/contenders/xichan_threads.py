"""xichan.channel() between threads of one interpreter, for values of packages that load in no other."""

from xichan.bench.contenders._xichan import XichanContender


class XichanThreads(XichanContender):
    name = "xichan-threads"
    title = "xichan, threads"
    variant = "threads"
    place = "threads"
