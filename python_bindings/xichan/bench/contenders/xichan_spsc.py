"""xichan.channel(flavor="spsc"): one sender, one receiver."""

from xichan.bench.contenders import Unavailable
from xichan.bench.contenders._xichan import XichanContender


class XichanSpsc(XichanContender):
    name = "xichan-spsc"
    title = "xichan, spsc"
    variant = "flavor"
    options = {"flavor": "spsc"}

    def open(self, spec):
        if spec.senders > 1 or spec.receivers > 1:
            raise Unavailable("has one sender and one receiver")
        return super().open(spec)
