"""xichan.channel(), with receives that pass ``copy=False``."""

from xichan.bench.contenders._xichan import XichanContender


class XichanViews(XichanContender):
    name = "xichan-views"
    title = "xichan, copy=False"
    variant = "views"
    views = True
    max_bytes = 16 << 20  # nothing is copied, so what is queued needs no room in a cache
    max_bytes_of_one_object = 1 << 30  # nor any memory
    get_arguments = "copy=False"
