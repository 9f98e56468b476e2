"""xichan.top reads the page of a process: one that runs, computes, is stopped, dies or lies."""

import contextlib
import os
import random
import struct
import subprocess
import sys

import pytest
from support import Call, environment, run_script, wait_for_blocked, wait_until
from support.watched import ALONE, BUSY, named, own_page, page_of, refusal, snapshot_when, stopped, watched

import xichan
from xichan.top import layout, processes, text
from xichan.top.page import PageError, ProcessEnded, find_processes, open_page


@contextlib.contextmanager
def blocked_thread():
    """Have a thread that is blocked, so that this process takes snapshots on request."""
    tx, rx = xichan.channel(1, name="blocked")
    with tx, rx:
        call = Call(rx.recv)
        wait_for_blocked(tx, receivers=1)
        yield
        tx.send(None)
        call.result()


def test_page_shows_channels_objects_and_waits_of_a_single_thread():
    with watched(ALONE) as process, open_page(process.pid) as page:
        found = snapshot_when(page, lambda found: found.waits and found.number)
        jobs, never = named(found.channels, "jobs"), named(found.channels, "never")
        assert (jobs.depth, jobs.capacity, jobs.sent, jobs.received) == (2, 8, 3, 1)
        assert (jobs.senders, jobs.receivers, jobs.state, jobs.flavor) == (1, 1, "open", "mpmc")
        (wait,) = found.waits
        assert (wait.channels, wait.interpreter_name, wait.thread) == ((never.id,), "main", process.pid)
        assert wait.call == "Receiver.recv" and wait.place.endswith("<string>:9") and not wait.timeout
        counter = named(found.objects, "counter")
        assert (counter.kind, counter.value) == ("AtomicInt", 7)
        assert found.release == xichan.__version__ and found.damaged == 0
        assert not found.answered  # it has no thread for that


def test_process_with_threads_takes_a_snapshot_for_each_read():
    with watched(BUSY) as process, open_page(process.pid) as page:
        first = snapshot_when(page, lambda found: found.answered)
        sent = named(first.channels, "jobs").sent
        second = snapshot_when(page, lambda found: named(found.channels, "jobs").sent > sent).since(first)
        assert second.answered and second.number > first.number
        jobs = named(second.channels, "jobs")
        assert jobs.sent_per_second > 0 and jobs.received_per_second > 0
        assert named(second.channels, "never").waiting_receivers == 1


def test_stopped_process_shows_its_last_snapshot():
    with watched(BUSY) as process, open_page(process.pid) as page:
        snapshot_when(page, lambda found: found.answered)
        with stopped(process):
            wait_until(lambda: processes.status_of(process.pid).state == "stopped")
            found = page.snapshot()
            assert (found.state, found.answered) == ("stopped", False)
            assert named(found.channels, "never").waiting_receivers == 1
            assert [wait.call for wait in found.waits] == ["Receiver.recv"]
            later = page.snapshot()
            assert later.number == found.number and later.age > found.age
            assert later.waits[0].seconds > found.waits[0].seconds
        assert snapshot_when(page, lambda found: found.answered).number > found.number


def test_dead_process_is_reported():
    with watched(ALONE) as process, open_page(process.pid) as page:
        page.snapshot()
        process.kill()
        process.wait()
        with pytest.raises(ProcessEnded, match=f"process {process.pid} has ended"):
            page.snapshot()
        assert refusal(open_page, process.pid) == f"no process has the id {process.pid}"


def test_process_that_executes_another_program_is_reported():
    source = ALONE.replace("never.recv()", "import os; input(); os.execv('/bin/sleep', ['sleep', '60'])")
    with subprocess.Popen(
        [sys.executable, "-c", source], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            with open_page(process.pid) as page:
                process.stdin.write("\n")
                process.stdin.flush()
                wait_until(lambda: processes.command_of(process.pid) == "sleep 60")
                with pytest.raises(ProcessEnded, match="another program"):
                    page.snapshot()
        finally:
            process.kill()


def test_process_that_opted_out_has_no_page():
    with watched(ALONE, XICHAN_PAGE="0") as process:
        assert "XICHAN_PAGE=0" in refusal(open_page, process.pid)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_page_of_another_user_is_refused():
    with watched(ALONE) as process:
        run_script(f"""
        import os
        from xichan.top import processes
        from xichan.top.page import PageError, open_page
        os.setuid(65534)
        try:
            open_page({process.pid})
        except PageError as error:
            assert "another user" in str(error), error
        else:
            raise AssertionError
        """)


def test_processes_with_a_page_are_found():
    with watched(ALONE) as process:
        assert process.pid in [pid for pid, _ in find_processes()]
    assert os.getpid() not in [pid for pid, _ in find_processes()]


def test_own_process_can_be_read():
    tx, rx = xichan.channel(4, name="own")
    call = Call(rx.recv)
    wait_for_blocked(tx, receivers=1)
    with open_page(os.getpid()) as page:
        found = snapshot_when(page, lambda found: found.answered and found.waits)
        assert named(found.channels, "own").waiting_receivers == 1
        assert named(found.channels, "own").id == tx.id
    tx.send(1)
    assert call.result() == 1
    tx.close()
    rx.close()


def test_closed_channels_show_their_state():
    with contextlib.ExitStack() as stack:
        ends = [stack.enter_context(end) for name in "abc" for end in xichan.channel(name=name)]
        ends[0].close()
        ends[3].close()
        ends[4].shutdown()
        with open_page(os.getpid()) as page:
            stack.enter_context(blocked_thread())
            found = snapshot_when(page, lambda found: found.answered)
            states = {channel.name: channel.state for channel in found.channels}
            assert (states["a"], states["b"], states["c"]) == ("no senders", "no receivers", "shut down")


# Damage


def table(data, kind):
    """Return the place of a table in the header, and its fields."""
    for index in range(layout.TABLES):
        place = layout.TABLES_AT + index * layout.TABLE.size
        fields = layout.TABLE.unpack_from(data, place)
        if fields[0] == kind:
            return place, fields
    raise AssertionError(kind)


def read(data):
    with page_of(data) as page:
        return page.snapshot()


def test_layout_has_the_sizes_of_the_page():
    data = own_page()
    expected = {
        layout.Kind.WAITS: layout.WAIT.struct.size + 8,
        layout.Kind.SNAPSHOT: layout.SNAPSHOT.struct.size,
        layout.Kind.CHANNELS: layout.CHANNEL.struct.size,
        layout.Kind.OBJECTS: layout.OBJECT.struct.size,
        layout.Kind.WORKERS: layout.WORKER.struct.size + layout.WORKER_WORDS.size,
    }
    for kind, size in expected.items():
        assert table(data, kind)[1][1] == layout.SEQUENCE.size + size


def test_half_written_row_is_skipped_and_counted():
    with blocked_thread(), open_page(os.getpid()) as page:
        count = len(snapshot_when(page, lambda found: found.answered).channels)
        data = bytearray(page.memory[:])
    _, (_, _, offset, *_) = table(data, layout.Kind.CHANNELS)
    (sequence,) = layout.SEQUENCE.unpack_from(data, offset)
    layout.SEQUENCE.pack_into(data, offset, sequence + 1)
    found = read(data)
    assert (len(found.channels), found.damaged) == (count - 1, 1)


def test_other_version_is_refused():
    data = own_page()
    struct.pack_into("<I", data, 8, layout.VERSION + 1)
    struct.pack_into("<32s", data, 40, b"9.9")
    message = refusal(read, data)
    assert f"uses xichan 9.9, whose page has version {layout.VERSION + 1}" in message and "same release" in message


@pytest.mark.parametrize(
    "data", [b"", b"x", bytes(4096), b"xichanpg" + bytes(4088)], ids=["empty", "short", "zeros", "magic"]
)
def test_other_memory_is_refused(data):
    assert refusal(read, data)


def test_memory_that_can_shrink_is_refused():
    def open_unsealed():
        with page_of(own_page(), seals=0):
            pass

    assert "not a page" in refusal(open_unsealed)


@pytest.mark.parametrize("field", ["slot_size", "offset", "slots", "used"])
def test_table_outside_the_page_is_refused(field):
    data = own_page()
    place, fields = table(data, layout.Kind.CHANNELS)
    names = ["kind", "slot_size", "offset", "slots", "used"]
    changed = list(fields)
    changed[names.index(field)] = 0 if field == "slot_size" else 2**62
    layout.TABLE.pack_into(data, place, *changed)
    assert "damaged" in refusal(read, data)


def test_random_damage_raises_page_errors_only():
    whole = own_page()
    chance = random.Random(1)
    tables = layout.COUNTS_AT + 64
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 20)):
            end = chance.choice((tables, 8192, len(data)))
            data[chance.randrange(end)] = chance.randrange(256)
        try:
            text.report(read(data))
        except PageError:
            pass


# Forks


def test_child_of_a_fork_has_its_own_page():
    run_script(
        """
        import os, threading, warnings
        import xichan
        from xichan.top.page import open_page

        warnings.simplefilter("ignore")
        tx, rx = xichan.channel(name="parent")
        thread = threading.Thread(target=rx.recv)
        thread.start()
        with open_page(os.getpid()) as page:
            while not page.snapshot().answered:
                pass
            child = os.fork()
            if child == 0:
                with open_page(os.getpid()) as own:
                    found = own.snapshot()
                assert not found.waits and not found.channels and not found.answered
                tx, rx = xichan.channel(name="child")
                threading.Thread(target=rx.recv, daemon=True).start()
                with open_page(os.getpid()) as own:
                    while not own.snapshot().answered:
                        pass
                    assert [channel.name for channel in own.snapshot().channels] == ["child"]
                os._exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            while not page.snapshot().answered:  # the parent still has a thread that takes snapshots
                pass
            assert [channel.name for channel in page.snapshot().channels] == ["parent"]
        tx.send(1)
        thread.join()
        """
    )


def test_closed_standard_descriptors_do_not_become_the_page():
    """What other code writes to them would overwrite it."""
    run_script(
        """
        import os
        for number in 0, 1, 2:
            os.close(number)
        import xichan
        tx, rx = xichan.channel()
        try:
            rx.recv(timeout=0.01)
        except xichan.ChannelTimeout:
            pass
        names = {os.readlink(f"/proc/self/fd/{number}"): int(number) for number in os.listdir("/proc/self/fd")
                 if os.path.lexists(f"/proc/self/fd/{number}")}
        pages = [number for name, number in names.items() if "xichan" in name]
        os._exit(0 if len(pages) == 1 and pages[0] > 2 else 3)
        """
    )


def test_control_characters_of_names_are_escaped():
    assert layout.text("a\x1b[31mred\nné\0rest".encode()) == "a\\x1b[31mred\\nné"


def test_fork_of_a_single_thread_does_not_warn():
    """The thread that takes snapshots ends before the fork, so that CPython does not warn of it."""
    run_script(
        """
        import faulthandler, os, threading, warnings
        import xichan

        faulthandler.cancel_dump_traceback_later()  # the watchdog is a thread
        warnings.simplefilter("error")
        tx, rx = xichan.channel(name="parent")
        thread = threading.Thread(target=rx.recv)
        thread.start()
        while not tx.stats().waiting_receivers:
            pass
        tx.send(1)
        thread.join()
        while len(os.listdir("/proc/self/task")) > 2:  # the main thread, and that of the page
            pass
        child = os.fork()
        if child == 0:
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        """
    )
