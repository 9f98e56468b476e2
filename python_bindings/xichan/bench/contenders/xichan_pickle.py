"""xichan.channel(), with values pickled by hand."""

import pickle

from xichan.bench.contenders._xichan import XichanContender


class XichanPickle(XichanContender):
    name = "xichan-pickle"
    title = "xichan, pickle by hand"
    variant = "pickle"

    def sender(self, sending):
        send, dumps = sending.send, pickle.dumps
        return lambda value: send(dumps(value))

    def receiver(self, receiving):
        recv, loads = receiving.recv, pickle.loads
        return lambda: loads(recv())
