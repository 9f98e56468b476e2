"""select over local and remote endpoints.

The case of a remote Receiver waits for its inbox, a local Receiver of the numbers of messages that have arrived.
"""

from __future__ import annotations

from contextlib import ExitStack

from .. import Receiver as LocalReceiver
from .. import Sender as LocalSender
from .. import aselect as local_aselect
from .. import select as local_select
from .._errors import ChannelClosed, ChannelTimeout
from ._endpoint import Endpoint
from ._receiver import Receiver
from ._steps import Deadline, arun, check_timeout, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# The server replies after the timeout of a request: this much later at most, in seconds.
_GRACE = 0.25


class _Selection:
    """One call of select: its cases, and the waits of its remote Receivers."""

    def __init__(self, cases: Iterable[Any]) -> None:
        if isinstance(cases, (Endpoint, LocalReceiver, LocalSender)):  # an iteration would receive its values
            name = f"{type(cases).__module__}.{type(cases).__qualname__}"
            raise TypeError(f"select() expects an iterable of cases, got {name}; pass a list of endpoints")
        self.cases = list(cases)
        self.local = [case._consumer.inbox if isinstance(case, Receiver) else case for case in self.cases]
        self.remote = {id(case._consumer.inbox): case for case in self.cases if isinstance(case, Receiver)}

    def check(self) -> None:
        for case in self.remote.values():
            case._check_acknowledges()

    def begin(self, waits: ExitStack, timeout: float | None) -> None:
        for case in self.remote.values():
            consumer = case._consumer
            waits.callback(consumer.end_wait, consumer.begin_wait(timeout))

    def original(self, chosen: Any) -> Any:
        """Return the case that the caller passed for a case of the local call."""
        return self.remote.get(id(chosen), chosen)

    def failed(self, error: ChannelClosed) -> Any:
        """Return the remote Receiver whose inbox has ended; raises unless it is one."""
        receiver = self.remote.get(id(error.case))
        if receiver is None:
            raise error
        return receiver


def select(cases: Iterable[Any], timeout: float | None = None) -> tuple[Any, Any]:
    """Block until one of several operations can proceed, and perform exactly that one. Returns (case, value).

    ``cases`` are those of ``xichan.select()``, and Receivers of channels on servers, also of several hubs. A received
    value is acknowledged. Raises ChannelTimeout after ``timeout`` seconds, and otherwise as ``xichan.select()`` does. A
    value that arrives for a Receiver that was not chosen is kept for a second for its next call, then returned to the
    server.
    """
    check_timeout(timeout)
    selection = _Selection(cases)
    deadline = Deadline(timeout)
    while True:
        selection.check()
        with ExitStack() as waits:
            selection.begin(waits, deadline.left())
            left = deadline.left()
            try:
                chosen, value = local_select(selection.local, None if left is None else left + _GRACE)
            except ChannelClosed as error:
                receiver = selection.failed(error)
                ended = run(receiver._ended(error))
                ended.case = receiver
                raise ended from ended.__cause__
        case = selection.original(chosen)
        if not isinstance(case, Receiver):
            return case, value
        delivery = run(case._accept(value))
        if delivery is not None:
            return case, run(case._decode(delivery))
        if deadline.passed():
            raise ChannelTimeout("timed out: no case became ready")


async def aselect(cases: Iterable[Any]) -> tuple[Any, Any]:
    """Perform exactly one of several operations, as ``select()`` does; wait in the running event loop."""
    selection = _Selection(cases)
    while True:
        selection.check()
        with ExitStack() as waits:
            selection.begin(waits, None)
            try:
                chosen, value = await local_aselect(selection.local)
            except ChannelClosed as error:
                receiver = selection.failed(error)
                ended = await arun(receiver._ended(error))
                ended.case = receiver
                raise ended from ended.__cause__
        case = selection.original(chosen)
        if not isinstance(case, Receiver):
            return case, value
        delivery = await arun(case._accept(value))
        if delivery is not None:
            return case, await arun(case._decode(delivery))
