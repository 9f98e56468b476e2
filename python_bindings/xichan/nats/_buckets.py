"""Key-value buckets, as JetStream keeps them: streams that hold one message for each subject."""

from __future__ import annotations

import json

from ._errors import NatsError, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._calls import Calls
    from ._steps import _Steps

_STREAM_EXISTS = 10058


def open_bucket(calls: Calls, bucket: str, ttl: float | None, replicas: int) -> _Steps[None]:
    """Make a bucket unless it exists. Its keys are removed ``ttl`` seconds after they were written; None: never."""
    nanoseconds = int((ttl or 0) * 1e9)
    config = {
        "name": f"KV_{bucket}",
        "subjects": [f"$KV.{bucket}.>"],
        "max_msgs_per_subject": 1,
        "discard": "new",
        "storage": "file",
        "num_replicas": replicas,
        "allow_rollup_hdrs": True,
        "allow_direct": True,
        "max_age": nanoseconds,
        "duplicate_window": min(nanoseconds or 120_000_000_000, 120_000_000_000),
    }
    try:
        yield from calls.api(f"STREAM.CREATE.KV_{bucket}", config)
    except NatsError as error:
        if error.code != _STREAM_EXISTS:  # the same bucket, configured by another version of the server
            raise


def put(calls: Calls, key: str, what: str) -> _Steps[None]:
    """Write a key without a value."""
    reply = json.loads((yield from calls.request(key)))
    if "error" in reply:
        raise refused(what, reply["error"])


def keys_of(calls: Calls, bucket: str, subject: str) -> _Steps[list[str]]:
    """Return the keys of a bucket that match."""
    info = yield from calls.api(f"STREAM.INFO.KV_{bucket}", {"subjects_filter": subject})
    return list(info["state"].get("subjects") or ())
