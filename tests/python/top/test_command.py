"""python -m xichan top, with --once and --json; the texts of its tables."""

import json
import os
import subprocess
import sys

import pytest
from support import environment, run_python
from support.watched import ALONE, BUSY, stopped, watched

from xichan.top import cli, columns, text
from xichan.top.model import Channel, Object, Snapshot, Wait, Worker


def top(*arguments, expect=0, **variables):
    return run_python("-m", "xichan", "top", *arguments, env=variables, expect=expect)


def channel(**changes):
    values = {
        "id": 5 | 7 << 64,
        "name": "jobs",
        "flavor": "mpmc",
        "capacity": 64,
        "max_bytes": None,
        "depth": 48,
        "bytes": 0,
        "sent": 1000,
        "received": 952,
        "dropped": 0,
        "parks": 3,
        "senders": 1,
        "receivers": 2,
        "waiting_senders": 0,
        "waiting_receivers": 0,
        "state": "open",
    }
    return Channel(**values | changes)


def wait(**changes):
    values = {
        "id": 1,
        "call": "Receiver.recv",
        "channels": (5 | 7 << 64,),
        "objects": (),
        "more": 0,
        "interpreter": 0,
        "interpreter_name": "main",
        "thread": 12,
        "place": "app.py:7",
        "function": "main",
        "seconds": 2.5,
        "timeout": False,
        "idle": False,
        "coroutine": False,
    }
    return Wait(**values | changes)


def snapshot(**changes):
    values = {
        "pid": 1,
        "command": "python app.py",
        "release": "0.1.0",
        "state": "sleeping",
        "number": 1,
        "time": 10.0,
        "age": 0.0,
        "answered": True,
    }
    return Snapshot(**values | changes)


def test_once_prints_the_tables():
    with watched(BUSY) as process:
        printed = top(str(process.pid), "--once", "--interval", "0.1").stdout
        assert printed.startswith(f"process {process.pid} (")
        assert "Snapshot taken now." in printed
        lines = [line.split() for line in printed.splitlines()]
        assert any(line[:1] == ["jobs"] and "open" in line for line in lines)
        assert any(line[:2] == ["Receiver.recv", "never"] for line in lines)


def test_without_a_terminal_the_tables_are_printed_once():
    pytest.importorskip("textual")
    with watched(BUSY) as process:
        printed = top(str(process.pid), "--interval", "0.1").stdout
        assert printed.startswith(f"process {process.pid} (") and "Receiver.recv" in printed


def test_once_works_on_a_stopped_process():
    with watched(BUSY) as process, stopped(process):
        printed = top(str(process.pid), "--once", "--interval", "0.1").stdout
        assert "stopped" in printed.splitlines()[0]
        assert "waiting calls and workers are current" in printed
        assert "Receiver.recv  never" in printed


def test_json_has_the_fields():
    with watched(ALONE) as process:
        found = json.loads(top(str(process.pid), "--json", "--interval", "0.1").stdout)
        assert found["pid"] == process.pid
        jobs, never = sorted(found["channels"], key=lambda channel: channel["name"])
        assert (jobs["name"], jobs["depth"], jobs["capacity"]) == ("jobs", 2, 8)
        assert found["waits"][0]["channels"] == [never["id"]]
        assert found["memory"]["limit"] is None or found["memory"]["limit"] > 0


def test_errors_are_one_message():
    assert top("999999999", expect=1).stderr == "no process has the id 999999999\n"
    assert "keeps no page" in top("1", "--once", expect=1).stderr or os.geteuid() != 0
    assert "SECONDS" in top("--interval", "0", expect=2).stderr


def test_process_is_chosen_if_it_is_the_only_one(monkeypatch):
    monkeypatch.setattr(cli, "find_processes", lambda: [(7, "python app.py")])
    assert cli.choose() == 7
    monkeypatch.setattr(cli, "find_processes", lambda: [])
    with pytest.raises(cli.PageError, match="no running process of this user"):
        cli.choose()
    monkeypatch.setattr(cli, "find_processes", lambda: [(7, "python app.py"), (8, "python -m worker")])
    with pytest.raises(cli.PageError, match="(?s)give the PID of one.*7 python app.py.*8 python -m worker"):
        cli.choose()


def test_live_tables_name_the_extra_if_textual_is_missing(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['textual'] = None\n")
    done = subprocess.run(
        [sys.executable, "-m", "xichan", "top", "1"],
        env=environment() | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{environment()['PYTHONPATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert 'pip install "xichan[top]"' in done.stderr and "--once" in done.stderr


def test_rates_are_those_between_two_snapshots():
    before = snapshot(channels=(channel(),))
    later = snapshot(number=2, time=12.0, channels=(channel(sent=3000, received=1952), channel(id=9, sent=10)))
    first, second = later.since(before).channels
    assert (first.sent_per_second, first.received_per_second) == (1000, 500)
    assert second.sent_per_second == 5
    assert later.since(None).channels[0].sent_per_second == 0
    assert later.since(later).channels[0].sent_per_second == 0


def test_report_names_what_calls_wait_for():
    report = text.report(
        snapshot(
            channels=(channel(),),
            waits=(wait(), wait(id=2, call="select", channels=(1, 2), objects=(3,), more=4, interpreter_name="C++")),
            all_channels=5,
            damaged=2,
        )
    )
    assert "1 channels, and 4 for which the page has no room" in report
    assert "Receiver.recv  jobs" in report
    assert "#1, #2, object 3, 4 more" in report
    assert "2 rows could not be read" in report


def test_report_shows_equal_calls_as_one_row():
    waits = [wait(id=number, thread=number, interpreter_name=f"worker_{number}") for number in range(20)]
    report = text.report(snapshot(channels=(channel(),), waits=(*waits, wait(id=30, seconds=9.0, place="other.py:1"))))
    assert "21 waiting calls\n" in report
    assert "20 x Receiver.recv  jobs       2.5 s  worker_0, worker_1, worker_2, worker_3 and 16 more" in report
    assert report.count("Receiver.recv") == 2


def test_internal_channels_are_shown_on_request():
    inside = channel(id=9, name="pool 'images' tasks")
    found = snapshot(channels=(channel(),), internal=(inside,), waits=(wait(channels=(9,)),), all_channels=2)
    report = text.report(found)
    assert "1 channels\n" in report and report.count("pool 'images' tasks") == 1  # what the call waits for
    assert "2 channels\n" in text.report(found.with_internal())
    data = json.loads(text.as_json(found))
    assert [channel["id"] for channel in data["internal"]] == ["9"] and len(data["channels"]) == 1


def test_lock_shows_what_holds_it():
    lock = Object(3, "RLock", "accounts", 1, 1, 0, 0, 12)
    other = Object(4, "Lock", "", 0, 1, 0, 5, 77)
    unknown, free = Object(5, "Condition", "", 0, 1, 0, 5, 0), Object(6, "Lock", "", 0, 0, 0)
    worker = Worker("side_0", "workers", 5, 77, "running", "archive", 1.0, 0)
    report = text.report(snapshot(objects=(lock, other, unknown, free), workers=(worker,), waits=(wait(),)))
    assert "main, thread 12, in Receiver.recv at app.py:7\n" in report
    assert "side_0, thread 77, in task archive\n" in report
    assert "side_0, a coroutine or a thread that is not known\n" in report
    assert report.count("locked") == 3 and report.count("free") == 1


def test_snapshot_that_is_missing_or_old_is_stated():
    assert "No snapshot" in columns.age(snapshot(number=0))
    assert "from 3.0 s ago" in columns.age(snapshot(answered=False, age=3.0))


@pytest.mark.parametrize(
    "depth, capacity, bar",
    [(0, 64, "········"), (1, 1000, "▏·······"), (32, 64, "████····"), (64, 64, "████████"), (5, None, "        ")],
)
def test_bar_shows_how_full_a_channel_is(depth, capacity, bar):
    assert columns.bar(channel(depth=depth, capacity=capacity)) == bar


def test_figures_are_short():
    assert list(map(columns.count, (0, 12, 999, 1200, 123_456, 34_000_000))) == [
        "0",
        "12",
        "999",
        "1.2k",
        "123k",
        "34.0M",
    ]
    assert list(map(columns.size, (0, 1023, 1536, 5 << 30))) == ["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]
    assert list(map(columns.duration, (None, 0.0123, 1.5, 205, 3723))) == ["", "12 ms", "1.5 s", "3:25", "1:02:03"]
