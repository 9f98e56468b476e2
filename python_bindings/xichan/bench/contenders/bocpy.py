"""bocpy: messages to a tag, in the whole process. It has 16 tags at the most, which stay."""

import time

from xichan.bench.contenders import Peer


class Contender(Peer):
    name = "bocpy"
    title = "bocpy"
    module = "bocpy"
    package = "bocpy"

    def open(self, spec):
        tag = f"bench-{spec.number}"
        return tag, tag

    def sender(self, sending):
        from bocpy import send

        def put(value):
            while True:
                try:
                    return send(sending, value)
                except RuntimeError as error:  # there is no send that waits
                    if "full" not in str(error):
                        raise
                    time.sleep(0)

        return put

    def receiver(self, receiving):
        from bocpy import receive

        return lambda: receive(receiving)[1]

    def selector(self, receivings):
        from bocpy import receive

        return lambda tags=list(receivings): receive(tags)[1]
