"""Which Senders of a channel were opened and not closed, whether or not their leases have expired.

While no server replied, no Sender could renew its lease: afterwards a missing lease does not show that its Sender is
gone. So a Sender that closes ends the channel only if no other Sender is registered. A Sender whose process has died
stays registered: then Receivers end the channel, once all Senders have had the time to renew their leases.

tests/model/test_last_sender.py visits the orders of the steps.
"""

from __future__ import annotations

import json

from ._buckets import keys_of, open_bucket, put
from ._calls import STREAM_NOT_FOUND
from ._errors import NatsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._calls import Calls
    from ._channels import Settings
    from ._names import Names
    from ._steps import _Steps


class Registry:
    """The registered Senders of one channel: each has a key, which does not expire."""

    __slots__ = ("bucket", "replicas", "stream")

    def __init__(self, names: Names, settings: Settings) -> None:
        self.bucket = f"xichan_senders{settings.bucket_suffix}"
        self.replicas = settings.replicas
        self.stream = f"$KV.{self.bucket}.{names.stream}"

    def enter(self, calls: Calls, identity: str) -> _Steps[None]:
        yield from open_bucket(calls, self.bucket, None, self.replicas)
        yield from put(calls, f"{self.stream}.{identity}", "the registration of a Sender")

    def removal(self, identity: str) -> tuple[str, str]:
        """Return the subject and the content of the request that removes a registration."""
        return f"$JS.API.STREAM.PURGE.KV_{self.bucket}", json.dumps({"filter": f"{self.stream}.{identity}"})

    def leave(self, calls: Calls, identity: str) -> _Steps[None]:
        yield from self._remove(calls, f"{self.stream}.{identity}")

    def forget_all(self, calls: Calls) -> _Steps[None]:
        """Remove the registrations of an earlier channel of this name."""
        yield from self._remove(calls, f"{self.stream}.>")

    def is_empty(self, calls: Calls) -> _Steps[bool]:
        return not (yield from keys_of(calls, self.bucket, f"{self.stream}.>"))

    def _remove(self, calls: Calls, key: str) -> _Steps[None]:
        try:
            yield from calls.api(f"STREAM.PURGE.KV_{self.bucket}", {"filter": key})
        except NatsError as error:
            if error.code != STREAM_NOT_FOUND:
                raise
