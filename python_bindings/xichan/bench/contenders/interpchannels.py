"""CPython's private module of channels, on which the interface of PEP 554 stands.

Its ``recv`` does not wait, so a receiver asks again, giving up its processor in between; sends do not wait either,
because one that does waits until its value has been received.
"""

import functools
import time

from xichan.bench.contenders import Peer


class Contender(Peer):
    name = "interpchannels"
    title = "_interpchannels"
    module = "_interpchannels"
    put_arguments = "blocking=False"

    def __init__(self):
        self.alive = {}

    def open(self, spec):
        import _interpchannels

        channel = _interpchannels.create(3)  # 3: items outlive the interpreter that sent them
        self.alive[int(channel)] = channel  # it goes when the last of these objects goes
        return int(channel), int(channel)

    def close(self, sending, receiving):
        del self.alive[sending]

    def sender(self, sending):
        from _interpchannels import send

        return functools.partial(send, sending)

    def receiver(self, receiving):
        from _interpchannels import ChannelEmptyError, recv

        def receive():
            while True:
                try:
                    return recv(receiving)[0]
                except ChannelEmptyError:
                    time.sleep(0)

        return receive
