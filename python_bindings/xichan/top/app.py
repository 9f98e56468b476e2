"""The live tables in the terminal, by textual."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import DataTable, Footer, Input, Static, TabbedContent, TabPane

from . import columns, stacks
from .model import Channel, Snapshot, Wait, Worker
from .page import Page, PageError

FULL = 0.9  # from here on the bar of a channel is red
STYLES = {
    "open": "green",
    "idle": "dim",
    "running": "green",
    "starting": "yellow",
    "ended": "dim",
    "no senders": "yellow",
    "no receivers": "yellow",
    "shut down": "dim",
}
FIELDS = ("channels", "waits", "workers", "objects", "remotes")


class StacksScreen(ModalScreen[None]):
    """What is known of one thread."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,enter", "dismiss", "Close")]

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="stacks"):
            yield Static(self.text, markup=False)


class TopApp(App[None]):
    """The tables of one process, renewed at an interval."""

    TITLE = "xichan top"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #title { padding: 0 1; background: $primary; color: $text; text-style: bold; height: 1; }
    #summary { padding: 0 1; height: auto; color: $text-muted; }
    #filter { display: none; }
    #filter.shown { display: block; }
    Screen { overflow: hidden; }
    TabbedContent { height: 1fr; }
    ContentSwitcher { height: 1fr; }
    TabPane { height: 1fr; padding: 0; }
    DataTable { height: 1fr; }
    StacksScreen { align: center middle; }
    #stacks { width: 90%; height: 80%; border: round $primary; background: $surface; padding: 1 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("q", "quit", "Quit"),
        ("space", "freeze", "Freeze"),
        ("s", "sort", "Sort"),
        ("r", "reverse", "Reverse"),
        ("slash", "filter", "Filter"),
        ("k", "stacks", "Stacks"),
        ("i", "internal", "Internal"),
        ("1", "show('channels')", "Channels"),
        ("2", "show('waits')", "Waits"),
        ("3", "show('workers')", "Workers"),
        ("4", "show('objects')", "State"),
        ("5", "show('remotes')", "Remote"),
    ]

    def __init__(self, page: Page, interval: float, *, internal: bool = False) -> None:
        super().__init__()
        self.shows_internal = internal
        self.page = page
        self.interval = interval
        self.snapshot: Snapshot | None = None
        self.is_frozen = False
        self.pattern = ""
        self.order: dict[str, int] = {"waits": 2}  # the column that each table is sorted by; the longest waits first
        self.is_reversed: set[str] = set()
        self.failure = ""
        self._rows: dict[str, list[Any]] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="title", markup=False)
        yield Static(id="summary", markup=False)
        with TabbedContent(initial="channels"):
            for field in FIELDS:
                with TabPane(field, id=field):
                    yield DataTable(id=f"{field}-table", cursor_type="row", zebra_stripes=True)
        yield Input(placeholder="show rows that contain ...", id="filter")
        yield Footer()

    async def on_mount(self) -> None:
        """Show the first snapshot, and have others follow."""
        await self.renew()
        self.set_interval(self.interval, self.renew)
        self.table().focus()

    async def renew(self) -> None:
        """Take a snapshot and show it, unless the tables are frozen or the process has ended."""
        if self.is_frozen or self.failure:
            return
        try:
            snapshot = await asyncio.to_thread(self.page.snapshot)
        except PageError as error:
            self.failure = str(error)
        else:
            if not self.is_frozen:
                self.snapshot = snapshot.since(self.snapshot)
        self.refresh_tables()

    @property
    def shown(self) -> str:
        """The field of the table that is shown."""
        return self.find("TabbedContent", TabbedContent).active

    def find[W: Widget](self, selector: str, kind: type[W]) -> W:
        """Return a widget, also while the stacks of a thread cover it."""
        return self.screen_stack[0].query_one(selector, kind)

    def table(self, field: str = "") -> DataTable[Text]:
        """Return the table of a field, or the one that is shown."""
        return self.find(f"#{field or self.shown}-table", DataTable)

    def refresh_tables(self) -> None:
        """Show the last snapshot."""
        snapshot = self.snapshot
        if snapshot is None:
            self.find("#title", Static).update(self.failure)
            return
        notes = [self.failure] if self.failure else []
        notes += ["frozen"] if self.is_frozen else []
        if self.shows_internal:
            snapshot = snapshot.with_internal()
        notes += [f"filter: {self.pattern}"] if self.pattern else []
        self.find("#title", Static).update(" | ".join([columns.title(snapshot), *notes]))
        self.find("#summary", Static).update(columns.summary(snapshot))
        tabs = self.find("TabbedContent", TabbedContent)
        for table in columns.tables_of(snapshot):
            rows = getattr(snapshot, table.field)
            tabs.get_tab(table.field).label = f"{table.title} {len(rows)}"
            self._fill(table, rows)

    def _fill(self, table: columns.Table, rows: tuple[Any, ...]) -> None:
        """Replace the rows of a table, but keep the cursor on its row."""
        widget = self.table(table.field)
        before = self._rows.get(table.field, [])
        cursor = widget.cursor_row
        chosen = table.key(before[cursor]) if 0 <= cursor < len(before) else None
        found = [row for row in rows if self._matches(table, row)]
        order = self.order.get(table.field, 0)
        is_reversed = table.field in self.is_reversed
        found.sort(key=table.columns[order].key, reverse=is_reversed)
        self._rows[table.field] = found
        offset = widget.scroll_offset
        widget.clear(columns=True)
        for index, column in enumerate(table.columns):
            arrow = ("▼" if is_reversed else "▲") if index == order else ""
            widget.add_column(f"{column.heading}{arrow}", key=column.heading)
        for row in found:
            widget.add_row(*(_cell(column, row) for column in table.columns))
        place = next(
            (index for index, row in enumerate(found) if table.key(row) == chosen), min(cursor, len(found) - 1)
        )
        if place >= 0:
            widget.move_cursor(row=place, scroll=False)
        widget.scroll_to(y=offset.y, x=offset.x, animate=False)

    def _matches(self, table: columns.Table, row: Any) -> bool:
        pattern = self.pattern.casefold()
        return not pattern or any(pattern in column.text(row).casefold() for column in table.columns)

    # Keys

    def action_freeze(self) -> None:
        """Stop renewing the tables, or go on."""
        self.is_frozen = not self.is_frozen
        self.refresh_tables()

    def action_internal(self) -> None:
        """Show the channels that xichan itself uses, or hide them."""
        self.shows_internal = not self.shows_internal
        self.refresh_tables()

    def action_sort(self) -> None:
        """Sort the shown table by its next column."""
        if self.snapshot is None:
            return
        table = next(each for each in columns.tables_of(self.snapshot) if each.field == self.shown)
        self.order[table.field] = (self.order.get(table.field, 0) + 1) % len(table.columns)
        self.refresh_tables()

    def action_reverse(self) -> None:
        """Reverse the order of the shown table."""
        self.is_reversed ^= {self.shown}
        self.refresh_tables()

    def action_filter(self) -> None:
        """Open the input of the filter."""
        widget = self.find("#filter", Input)
        widget.add_class("shown")
        widget.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while the user types."""
        self.pattern = event.value
        self.refresh_tables()

    def on_input_submitted(self) -> None:
        """Close the input."""
        self._close_filter()

    def on_key(self, event: events.Key) -> None:
        """Escape in the input removes the filter."""
        if event.key == "escape" and self.find("#filter", Input).has_focus:
            self.find("#filter", Input).value = ""
            self._close_filter()

    def _close_filter(self) -> None:
        self.find("#filter", Input).remove_class("shown")
        self.table().focus()

    def action_show(self, field: str) -> None:
        """Show the table of a field."""
        self.find("TabbedContent", TabbedContent).active = field
        self.table(field).focus()

    def on_data_table_row_selected(self) -> None:
        """Enter on a row does what the key for stacks does."""
        self.action_stacks()

    def action_stacks(self) -> None:
        """Show what is known of the thread of the chosen worker or wait."""
        rows, cursor = self._rows.get(self.shown, []), self.table().cursor_row
        row = rows[cursor] if 0 <= cursor < len(rows) else None
        if self.snapshot is not None and isinstance(row, (Worker, Wait)):
            self.push_screen(StacksScreen(stacks.describe(self.snapshot, row.thread)))
        else:
            self.notify("choose a worker or a waiting call: keys 2 and 3")


def _cell(column: columns.Column, row: Any) -> Text:
    """Return a cell with its colors."""
    text = column.text(row)
    style = STYLES.get(text, "")
    if isinstance(row, Channel) and column.heading == "depth" and row.depth:
        style = "red" if columns.fill(row) >= FULL else "cyan"
    elif isinstance(row, Channel) and column.heading == "waiting":
        style = "yellow"
    elif isinstance(row, Wait) and row.idle:
        style = "dim"
    return Text(text, style=style, justify="right" if column.right else "left")
