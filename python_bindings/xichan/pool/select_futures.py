"""Futures as cases of ``xichan.select``: each is replaced by a Receiver that is finished when its task is over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _core
from .._errors import ChannelClosed
from .futures import Future


def select(cases: Iterable[Any], timeout: float | None, copy: bool) -> tuple[Any, Any]:
    """Select over cases some of which are futures of a pool."""
    futures: dict[Any, Future] = {}
    plain = []
    for case in cases:
        if isinstance(case, Future):
            completion = case.completion()
            futures[completion] = case
            plain.append(completion)
        else:
            plain.append(case)
    try:
        return _core.select(plain, timeout, copy=copy)
    except ChannelClosed as error:
        future = futures.get(error.case)
        if future is None:
            raise
    return future, future.result(0)
