"""xichan.channel() received with ``copy=False``."""

from xichan.bench.contenders._xichan import Xichan


class Contender(Xichan):
    name = "xichan-views"
    title = "xichan, copy=False"
    variant = "views"
    views = True
    get_arguments = "copy=False"
