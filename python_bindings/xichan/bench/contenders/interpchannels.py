"""_interpchannels: CPython's private channel module, the basis of the PEP 554 interface.

``recv`` does not block, so the receiver polls and yields its CPU in between. Sends are non-blocking, because a blocking
one waits until its value is received.
"""

import functools
import time

from xichan.bench.contenders import Contender


class InterpChannels(Contender):
    name = "interpchannels"
    title = "_interpchannels"
    module = "_interpchannels"
    put_arguments = "blocking=False"

    def __init__(self):
        self.open_channels = {}

    def open(self, spec):
        import _interpchannels

        channel = _interpchannels.create(3)  # 3: items outlive the interpreter that sent them
        self.open_channels[int(channel)] = channel  # the channel is destroyed with the last of these objects
        return int(channel), int(channel)

    def close(self, sending, receiving):
        del self.open_channels[sending]

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
