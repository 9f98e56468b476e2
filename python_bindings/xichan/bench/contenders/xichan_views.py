"""xichan.channel(), with receives that pass ``copy=False``."""

from xichan.bench.contenders._xichan import XichanContender


class XichanViews(XichanContender):
    name = "xichan-views"
    title = "xichan, copy=False"
    variant = "views"
    views = True
    get_arguments = "copy=False"
