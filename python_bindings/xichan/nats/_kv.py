"""Two key-value buckets: which endpoints a channel has, and with what error a channel has ended.

An endpoint holds a lease: its key in the bucket of leases, which it renews. The server removes a key that is not
renewed in time. So the endpoints of a channel are counted without their help: their processes may have died.
"""

from __future__ import annotations

import base64
import json

from .. import _nats, dumps, loads
from .._errors import ChannelClosed, ChannelFailed
from .._remote import RemoteError, RemoteTraceback, attach_traceback, format_traceback, text_of, type_name_of
from ._buckets import keys_of, open_bucket, put
from ._calls import STREAM_NOT_FOUND, find_stream
from ._errors import NatsError, refused
from ._steps import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._calls import Calls
    from ._channels import Settings
    from ._names import Names
    from ._steps import _Steps

_WRONG_SEQUENCE = 10071  # the key exists
_MESSAGE_NOT_FOUND = 10037


class Leases:
    """The leases of the endpoints of one channel: those of Senders have keys in "s", those of Receivers in "r"."""

    __slots__ = ("bucket", "lasts", "replicas", "senders", "stream")

    def __init__(self, names: Names, settings: Settings) -> None:
        self.lasts = settings.sender_timeout
        self.replicas = settings.replicas
        self.bucket = f"xichan_leases_{int(self.lasts * 1000)}{settings.bucket_suffix}"
        self.stream = f"$KV.{self.bucket}.{names.stream}"
        self.senders = f"{self.stream}.s.>"

    def key(self, kind: str, identity: str) -> str:
        return f"{self.stream}.{kind}.{identity}"

    @property
    def removal(self) -> str:
        """The subject of requests that remove leases."""
        return f"$JS.API.STREAM.PURGE.KV_{self.bucket}"

    @property
    def count_subject(self) -> str:
        return f"$JS.API.STREAM.INFO.KV_{self.bucket}"

    @property
    def count_data(self) -> str:
        return json.dumps({"subjects_filter": self.senders})

    def take(self, calls: Calls, key: str) -> _Steps[None]:
        yield from open_bucket(calls, self.bucket, self.lasts, self.replicas)
        yield from put(calls, key, "the lease of an endpoint")

    def release(self, calls: Calls, key: str) -> _Steps[None]:
        yield from calls.api(f"STREAM.PURGE.KV_{self.bucket}", {"filter": key})

    def keys(self, calls: Calls, subject: str) -> _Steps[list[str]]:
        """Return the leases whose keys match."""
        return (yield from keys_of(calls, self.bucket, subject))


class Lease:
    """The lease of one endpoint, which native code renews."""

    __slots__ = ("_calls", "_heartbeat", "_key", "_leases")

    def __init__(
        self, calls: Calls, leases: Leases, kind: str, identity: str, farewell: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self._calls, self._leases, self._key = calls, leases, leases.key(kind, identity)
        run(leases.take(calls, self._key))
        # What is published if the endpoint is dropped without close().
        farewell = ((leases.removal, json.dumps({"filter": self._key})), *farewell)
        self._heartbeat = _nats.Heartbeat(calls.connection, self._key, leases.lasts / 4, farewell)

    def drop(self) -> None:
        """Give the lease up without waiting. If the server is away, the lease ends by itself."""
        self._heartbeat.close()

    def release(self) -> _Steps[None]:
        self._heartbeat.stop()
        yield from self._leases.release(self._calls, self._key)


def seal(calls: Calls, names: Names, settings: Settings, by: str) -> _Steps[None]:
    """Have a channel refuse values from now on. Does nothing if it is deleted or sealed."""
    if (yield from _has_ended(calls, names)):
        return
    try:
        yield from calls.api(f"STREAM.UPDATE.{names.stream}", settings.sealed_stream(names, by))
    except NatsError:
        if not (yield from _has_ended(calls, names)):  # by another endpoint meanwhile
            raise


def _has_ended(calls: Calls, names: Names) -> _Steps[bool]:
    info = yield from find_stream(calls, names)
    return info is None or bool(info["config"].get("sealed"))


def _error_bucket(settings: Settings) -> str:
    return f"xichan_errors{settings.bucket_suffix}"


def _error_key(names: Names, settings: Settings) -> str:
    return f"$KV.{_error_bucket(settings)}.{names.stream}"


def record_error(calls: Calls, names: Names, settings: Settings, error: BaseException) -> _Steps[None]:
    """Record the error of a channel, unless there is one."""
    if not isinstance(error, BaseException):
        raise TypeError(f"error must be an exception or None, got {type(error).__name__}")
    yield from open_bucket(calls, _error_bucket(settings), None, settings.replicas)
    name, message, traceback = type_name_of(error), text_of(error), format_traceback(error)
    try:
        carried = dumps(error)
    except Exception:
        carried = None  # it will be a RemoteError
    data = dumps((name, message, traceback, carried))
    key, unless_exists = _error_key(names, settings), (("Nats-Expected-Last-Subject-Sequence", "0"),)
    reply = json.loads((yield from calls.request(key, data, unless_exists)))
    if "error" in reply and reply["error"].get("err_code") != _WRONG_SEQUENCE:
        raise refused(f"the error of channel {names.channel!r}", reply["error"])


def forget_error(calls: Calls, names: Names, settings: Settings) -> _Steps[None]:
    """Remove the error of an earlier channel of this name."""
    try:
        yield from calls.api(f"STREAM.PURGE.KV_{_error_bucket(settings)}", {"filter": _error_key(names, settings)})
    except NatsError as error:
        if error.code != STREAM_NOT_FOUND:
            raise


def closing_error(calls: Calls, names: Names, settings: Settings, message: str) -> _Steps[ChannelClosed]:
    """Return the exception for calls on a channel that has ended: ChannelFailed if it ended with an error."""
    try:
        data = {"last_by_subj": _error_key(names, settings)}
        found = yield from calls.api(f"STREAM.MSG.GET.KV_{_error_bucket(settings)}", data)
    except NatsError as error:
        if error.code in (_MESSAGE_NOT_FOUND, STREAM_NOT_FOUND):
            return ChannelClosed(message)
        raise
    return _failed(loads(base64.b64decode(found["message"]["data"])))


def _failed(description: Any) -> ChannelFailed:
    type_name, message, traceback, carried = description
    cause = None
    if carried is not None:
        try:
            cause = loads(carried, classes=(RemoteTraceback,))  # of an error that came from elsewhere
        except ValueError:
            pass
    if not isinstance(cause, BaseException):
        if type_name == "C++ error":  # as in channels of this process
            message = str(cause)
        cause = RemoteError(type_name, message, traceback)
    attach_traceback(cause, traceback)
    failed = ChannelFailed(f"the channel failed: {type_name}{': ' if message else ''}{message}")
    failed.__cause__ = cause
    return failed
