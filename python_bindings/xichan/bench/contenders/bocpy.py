"""bocpy: messages addressed to a tag, process-wide. At most 16 tags exist, and they are never released."""

import time

from xichan.bench.contenders import Contender


class Bocpy(Contender):
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
                except RuntimeError as error:  # bocpy has no blocking send
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
