"""The tables as text, and as JSON."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

from .. import _inspect_groups as groups
from . import columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .columns import Column
    from .model import Snapshot, Wait


def report(snapshot: Snapshot) -> str:
    """Return all tables as text."""
    lines = [columns.title(snapshot), columns.summary(snapshot)]
    for table in columns.tables_of(snapshot):
        rows = getattr(snapshot, table.field)
        lines += ["", heading(snapshot, table)]
        if table.field == "waits":
            rows = equal_rows(rows)
        if rows:
            lines += ["  " + line for line in aligned(table.columns, rows)]
    if snapshot.damaged:
        lines += [
            "",
            f"{snapshot.damaged} rows could not be read: the process wrote them just then, or died while it did.",
        ]
    return "\n".join(lines)


def heading(snapshot: Snapshot, table: columns.Table) -> str:
    """Return the title of a table, with the numbers of its rows."""
    shown = len(getattr(snapshot, table.field))
    hidden = {
        "channels": snapshot.all_channels - shown - len(snapshot.internal),
        "objects": snapshot.all_objects - shown,
        "remotes": snapshot.all_remotes - shown,
        "waits": snapshot.hidden_waits,
    }.get(table.field, 0)
    return f"{shown} {table.title}" + (f", and {hidden} for which the page has no room" if hidden > 0 else "")


def equal_rows(waits: Sequence[Wait]) -> list[Wait]:
    """Return one row for the calls that wait in the same line for the same."""
    rows = []
    for same in groups.grouped(
        waits, "call", "place", "function", "channels", "objects", "coroutine", "timeout", "idle"
    ):
        first = same[0]
        if len(same) > 1:
            names = (wait.interpreter_name or f"interpreter {wait.interpreter}" for wait in same)
            first = replace(first, call=groups.times(same, first.call), interpreter_name=groups.listed(names), thread=0)
        rows.append(first)
    return rows


def aligned(table: Sequence[Column], rows: Sequence[Any]) -> list[str]:
    """Return the lines of a table: a heading and its rows."""
    cells = [[column.heading for column in table]]
    cells += [[column.text(row) for column in table] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    return [
        "  ".join(
            text.rjust(width) if column.right else text.ljust(width) for text, width, column in zip(line, widths, table)
        ).rstrip()
        for line in cells
    ]


def as_json(snapshot: Snapshot) -> str:
    """Return the snapshot as a JSON object. Ids of channels are texts: many readers of JSON round large numbers."""
    data = dataclasses.asdict(snapshot)
    for channel in (*data["channels"], *data["internal"]):
        channel["id"] = str(channel["id"])
    for wait in data["waits"]:
        wait["channels"] = [str(id) for id in wait["channels"]]
    return json.dumps(data, indent=2)
