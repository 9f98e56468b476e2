"""``python -m xichan.nats``: the channels of a server."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time

from . import NatsError, connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._stats import Stats

_COLUMNS: dict[str, Callable[[Stats], str]] = {
    "channel": lambda stats: stats.name,
    "depth": lambda stats: f"{stats.depth}/{'-' if stats.capacity is None else stats.capacity}",
    "bytes": lambda stats: str(stats.bytes),
    "sent": lambda stats: str(stats.sent),
    "unacked": lambda stats: str(stats.unacknowledged),
    "redelivered": lambda stats: str(stats.redelivered),
    "senders": lambda stats: str(stats.senders),
    "receivers": lambda stats: str(stats.receivers),
    "waiting": lambda stats: str(stats.waiting_receivers),
    "dead": lambda stats: str(stats.dead_letters),
    "storage": lambda stats: stats.storage,
    "state": lambda stats: "closed" if stats.closed else "open",
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m xichan.nats", description="List the channels of a NATS server.")
    parser.add_argument("server", nargs="?", default="nats://127.0.0.1:4222", help="default: %(default)s")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--token")
    parser.add_argument("--credentials", metavar="FILE", help="a .creds file")
    parser.add_argument("--json", action="store_true", help="print one JSON object per channel")
    parser.add_argument("--every", type=float, metavar="SECONDS", help="repeat until interrupted")
    options = parser.parse_args(arguments)
    try:
        hub = connect(
            options.server,
            user=options.user,
            password=options.password,
            token=options.token,
            credentials=options.credentials,
        )
        with hub:
            while True:
                _print(hub.channels(), options.json)
                if options.every is None:
                    return 0
                time.sleep(options.every)
    except NatsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _print(channels: list[Stats], as_json: bool) -> None:
    if as_json:
        for stats in channels:
            print(json.dumps(dataclasses.asdict(stats)), flush=True)
        return
    rows = [list(_COLUMNS), *([column(stats) for column in _COLUMNS.values()] for stats in channels)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip(), flush=True)
    if not channels:
        print("no channels", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
