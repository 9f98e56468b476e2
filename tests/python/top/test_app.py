"""The live tables of python -m xichan top, driven by keys."""

import asyncio
import os
import signal

import pytest

pytest.importorskip("textual")

from support import wait_until  # noqa: E402
from support.watched import BUSY, snapshot_when, watched  # noqa: E402
from textual.widgets import Input, TabbedContent  # noqa: E402

from xichan.top import processes  # noqa: E402
from xichan.top.app import StacksScreen, TopApp  # noqa: E402
from xichan.top.page import open_page  # noqa: E402

MANY = """
import threading, xichan
ends = [xichan.channel(8, name=f"channel-{i}") for i in range(4)]
for count, (tx, _) in enumerate(ends):
    tx.send_many(range(count * 2))
never_tx, never = xichan.channel(1, name="never")
threading.Thread(target=never.recv, daemon=True).start()
while not any(channel.waiting_receivers for channel in xichan.channels()):
    pass
print("ready", flush=True)
import time
time.sleep(600)
"""


def drive(source, steps):
    """Run the application on a program that runs `source`, with a coroutine function that presses keys."""

    async def run(page):
        app = TopApp(page, 3600)
        async with app.run_test(size=(140, 40)) as pilot:
            await pilot.pause()
            await steps(app, pilot)

    with watched(source) as process, open_page(process.pid) as page:
        snapshot_when(page, lambda found: found.answered)
        asyncio.run(asyncio.wait_for(run(page), 60))


def names(app):
    """Return the first column of the shown table."""
    table = app.table()
    return [str(table.get_row_at(index)[0]) for index in range(table.row_count)]


def test_tables_are_chosen_by_numbers():
    async def steps(app, pilot):
        assert names(app) == [f"channel-{i}" for i in range(4)] + ["never"]
        for key, field in zip("1234", ("channels", "waits", "workers", "objects")):
            await pilot.press(key)
            await pilot.pause()
            assert app.query_one(TabbedContent).active == field
        await pilot.press("2")
        assert names(app) == ["Receiver.recv"]

    drive(MANY, steps)


def test_key_shows_internal_channels():
    async def steps(app, pilot):
        before = names(app)
        await pilot.press("i")
        await pilot.pause()
        assert [name.rstrip("0123456789abcdef") for name in names(app) if name not in before] == ["Queue joiners of #"]
        await pilot.press("i")
        await pilot.pause()
        assert names(app) == before

    drive("import xichan\nqueue = xichan.Queue()" + MANY, steps)


def test_rows_are_sorted_by_the_next_column_and_reversed():
    async def steps(app, pilot):
        await pilot.press("s")  # by depth
        assert names(app)[-1] == "channel-3"
        await pilot.press("r")
        assert names(app)[0] == "channel-3"

    drive(MANY, steps)


def test_filter_hides_other_rows():
    async def steps(app, pilot):
        await pilot.press("slash", *"el-2", "enter")
        await pilot.pause()
        assert names(app) == ["channel-2"]
        await pilot.press("slash")
        assert app.query_one(Input).has_focus
        await pilot.press("escape")
        await pilot.pause()
        assert len(names(app)) == 5 and not app.query_one(Input).has_focus

    drive(MANY, steps)


def test_frozen_tables_stay():
    async def steps(app, pilot):
        await pilot.press("space")
        number = app.snapshot.number
        await app.renew()
        assert app.snapshot.number == number and app.is_frozen
        await pilot.press("space")
        await app.renew()
        assert app.snapshot.number > number

    drive(BUSY, steps)


def test_cursor_stays_on_its_row():
    async def steps(app, pilot):
        await pilot.press("down", "down")
        await app.renew()
        assert names(app)[app.table().cursor_row] == "channel-2"
        await pilot.press("r")
        assert names(app)[app.table().cursor_row] == "channel-2"

    drive(MANY, steps)


def test_key_shows_the_thread_of_a_wait():
    async def steps(app, pilot):
        await pilot.press("2", "k")
        await pilot.pause()
        assert isinstance(app.screen, StacksScreen)
        await app.renew()
        assert "waits in Receiver.recv" in app.screen.text and "Python stack" in app.screen.text
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, StacksScreen)
        await pilot.press("1", "k")  # a channel has no thread
        assert not isinstance(app.screen, StacksScreen)

    drive(MANY, steps)


def test_process_that_ends_leaves_its_last_tables():
    async def steps(app, pilot):
        os.kill(app.page.pid, signal.SIGKILL)
        wait_until(lambda: processes.status_of(app.page.pid).state == "ended")
        await app.renew()
        await pilot.pause()
        assert "has ended" in app.failure and len(names(app)) == 5

    drive(MANY, steps)


def test_key_quits():
    async def steps(app, pilot):
        await pilot.press("q")
        await pilot.pause()
        assert app.return_code == 0

    drive(MANY, steps)
