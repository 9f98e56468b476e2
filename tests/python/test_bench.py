"""python -m xichan.bench: what it measures is checked, and its reports hold together. Nothing here is about speed."""

import json
import re
import signal
import subprocess
import sys
import textwrap
import threading

import pytest
from support import PATIENCE, environment, run_python

pytest.importorskip("concurrent.interpreters")

from xichan.bench import (  # noqa: E402
    _floor,
    cli,
    compare,
    floor,
    parties,
    peers,
    results,
    scenarios,
    targets,
    values,
)

TINY = ("--rounds", "2", "--seconds", "0.01", "--patience", str(PATIENCE))


def bench(*arguments, expect=0):
    """Run it in a process of its own."""
    return run_python("-m", "xichan.bench", *arguments, timeout=120, expect=expect)


def here(*arguments):
    """Run in this process what does not measure: its exit code."""
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as end:
        return end.code


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory):
    """(the file of a very small run, what was printed)."""
    file = tmp_path_factory.mktemp("bench") / "run.json"
    chosen = ("one-way/record", "round-trip/busy", "fan-in/[12]", "memory/int")
    contenders = ("xichan", "xichan-spsc", "interpreters-queue", "memhive")
    done = bench(
        *(part for name in chosen for part in ("--scenario", name)),
        *(part for name in contenders for part in ("--contender", name)),
        *TINY,
        *("--json", file),
    )
    return file, done


def test_other_kinds_of_work_and_calls_with_arguments(tmp_path):
    out = tmp_path / "run.json"
    tables = ("batch/ints", "select/8", "read/tuple", "pool/submit", "one-way/shared1m", "round-trip/parked")
    contenders = ("xichan", "xichan-views", "xichan-pool", "mp-pipe", "simple-queue")
    bench(
        *(part for name in tables for part in ("--scenario", name)),
        *(part for name in contenders for part in ("--contender", name)),
        *("--rounds", "1", "--seconds", "0.01", "--patience", str(PATIENCE)),
        *("--json", out),
    )
    run = results.load(out)
    assert {name: set(run["scenarios"][name]["results"]) for name in tables} == {
        "batch/ints": {"xichan", "mp-pipe", "simple-queue"},
        "select/8": {"xichan", "mp-pipe"},
        "read/tuple": {"xichan", "xichan-views"},
        "pool/submit": {"xichan-pool"},
        "one-way/shared1m": {"xichan", "xichan-views", "mp-pipe", "simple-queue"},
        "round-trip/parked": {"xichan", "mp-pipe", "simple-queue"},
    }
    assert run["scenarios"]["select/8"]["unavailable"] == {"simple-queue": "cannot wait for several at once"}


class Noting(peers.Peer):
    """A list as a channel within one thread; notes the arguments of its calls."""

    put_arguments, get_arguments = "timeout=2.5", "copy=False, timeout=3"

    def __init__(self, batches):
        self.batches, self.queue, self.calls = batches, [], set()

    def note(self, name, arguments):
        self.calls.add((name, *arguments.items()))

    def sender(self, sending):
        return lambda value, **arguments: (self.queue.append(value), self.note("put", arguments))

    def receiver(self, receiving):
        return lambda **arguments: (self.queue.pop(0), self.note("get", arguments))[0]

    def batch_sender(self, sending):
        def put(batch, **arguments):
            self.queue += batch
            self.note("put_many", arguments)

        return put if self.batches else None

    def batch_receiver(self, receiving):
        def get(n, **arguments):
            taken, self.queue = self.queue[:n], self.queue[n:]
            self.note("get_many", arguments)
            return taken

        return get if self.batches else None


@pytest.mark.parametrize(
    "send, receive, batches",
    [
        ("check_send", "check_receive", False),
        ("send", "receive", False),
        ("send_turns", "receive", False),
        ("send_batches", "receive_batches", False),
        ("send_batches", "receive_batches", True),
    ],
)
def test_every_call_has_the_arguments_that_its_contender_states(send, receive, batches):
    peer = Noting(batches)
    job = {"payload": "int", "n": 6, "warm": 1, "batch": 3}
    sending = parties.ROLES[send](peer, [0] if send == "send_turns" else 0, job)
    receiving = parties.ROLES[receive](peer, 0, job)
    assert peer.queue == []  # what went ahead has been received
    sending()
    assert peer.queue == [values.make("int")] * 6
    assert "wrong" not in receiving() and peer.queue == []
    suffix = "_many" * batches
    assert peer.calls == {
        (f"put{suffix}", ("timeout", 2.5)),
        (f"get{suffix}", ("copy", False), ("timeout", 3)),
    }


def test_a_thread_that_sends_to_itself_gives_the_arguments_too():
    peer = Noting(False)
    work = parties.ROLES["ask"](peer, (0, 0), {"payload": "int", "n": 5, "gap": 0})
    assert work()["each"] > 0 and peer.queue == []
    assert peer.calls == {("put", ("timeout", 2.5)), ("get", ("copy", False), ("timeout", 3))}


@pytest.mark.parametrize("n, error", [(0, ValueError), (-1, ValueError), ("x", TypeError), (2**70, OverflowError)])
@pytest.mark.parametrize("name", ["ring", "ring_round_trip", "wake_up"])
def test_the_floor_refuses_what_is_no_number_of_steps(name, n, error):
    with pytest.raises(error, match="n must be positive" if error is ValueError else None):
        getattr(_floor, name)(n)
    assert getattr(_floor, name)(1) > 0


def test_a_floor_and_what_is_measured_both_have_the_loop_in_them():
    found = {"loop": [3.0, 4.0], "call": [23.0], "ring": [10.0], "create:int": [13.0]}
    assert floor.bests(found) == {"call": 20.0, "ring": 10.0, "create:int": 10.0}
    assert floor.below(scenarios.ALL["alone/int"], found) == 3 + 2 * 20 + 10
    assert floor.below(scenarios.ALL["one-way/int"], found) == 3 + 20 + 10
    run = {
        "floor": found,
        "scenarios": {"alone/int": {"results": {"xichan": [83.0]}}},
        "environment": {"python": "3.14.0"},
    }
    assert next(row for row in targets.rows(run) if "two calls of nothing" in row.title).shown == "2x"


def test_what_is_not_copied_takes_no_memory():
    assert peers.load("simple-queue").holds(1000, False) == 0
    assert peers.load("xichan").holds(1000, True) == 0 and peers.load("xichan").holds(1000, False) == 1000
    assert peers.load("mp-pipe").holds(1000, True) == 1000


def test_a_contender_says_what_it_cannot_do():
    for call, complaint in (("pool", "is no pool"), ("selector", "cannot wait for several at once")):
        with pytest.raises(peers.Unavailable, match=complaint):
            getattr(peers.load("simple-queue"), call)(2)


def test_a_run_without_figures_has_nothing_to_plot(tiny_run, tmp_path, capsys):
    run = results.load(tiny_run[0])
    for record in run["scenarios"].values():
        record["results"] = {}
    results.save(run, tmp_path / "run.json")
    assert here("--from", tmp_path / "run.json", "--plot", tmp_path / "plot.png") == 2
    assert "there is nothing to plot" in capsys.readouterr().err


def test_list_names_all_and_what_is_missing(capsys):
    assert here("--list") == 0
    printed = capsys.readouterr().out
    for name in (*scenarios.ALL, *peers.names()):
        assert re.search(rf"^ +(\* )?{re.escape(name)} ", printed, re.M), name
    assert re.search(r"memhive .*missing: its only release", printed)


def test_the_file_has_the_figures_and_what_they_were_taken_with(tiny_run):
    run = results.load(tiny_run[0])
    assert set(run["scenarios"]) == {"one-way/record", "round-trip/busy", "fan-in/1", "fan-in/2", "memory/int"}
    record = run["scenarios"]["one-way/record"]
    assert set(record["results"]) == {"xichan", "interpreters-queue"}
    assert all(len(rounds) == 2 and min(rounds) > 0 for rounds in record["results"].values())
    assert record["floor"] > 0
    about = run["environment"]
    assert about["python"] == sys.version.split()[0] and about["cpus"] >= 1 and about["cpu"]
    assert {"load_before", "load_after", "commit", "xichan"} <= set(about)
    assert {"call", "ring", "ring trip", "wake trip", "create:record"} <= set(run["floor"])


def test_who_cannot_take_part_is_named_with_the_reason(tiny_run):
    file, done = tiny_run
    run = results.load(file)
    assert "memhive" in run["missing"] and "missing: memhive: its only release" in done.stdout
    assert run["scenarios"]["fan-in/2"]["unavailable"]["xichan-spsc"] == "has one sender and one receiver"
    assert "xichan-spsc: has one sender and one receiver" in done.stdout


def test_without_a_terminal_progress_is_plain_lines(tiny_run):
    done = tiny_run[1]
    assert "\x1b" not in done.stdout + done.stderr
    assert re.search(r"^\[1/\d+\] one-way/record$", done.stderr, re.M)


def test_tables_have_ratios_and_distances_from_the_floor(tiny_run):
    printed = tiny_run[1].stdout
    assert re.search(r"concurrent\.interpreters\.Queue │ [^\n]*│ +1x │ +│", printed)
    assert re.search(r"│ xichan +│ [^\n]*[\d.,]+x │ +[\d.,]+x │", printed)
    assert "numbers to reach" in printed and "the floor" in printed


def test_the_reports(tiny_run, tmp_path):
    version = ".".join(sys.version.split(".")[:2])
    page, plot, tables = tmp_path / "report.html", tmp_path / "plot.png", tmp_path / "benchmarks.md"
    tables.write_text(f"before\n<!-- bench {version} -->\nold\n<!-- end of bench {version} -->\nafter\n")
    assert here("--from", tiny_run[0], "--html", page, "--plot", plot, "--markdown", tables) == 0

    text = page.read_text()
    assert not re.search(r"https?://|<script|<link|@import|<iframe|\bsrc=", text)  # one file that loads nothing
    assert text.count("<svg") == 4  # fan-in is one plot of lines
    assert "msg/s" in text and "microseconds (us)" in text
    identifiers = re.findall(r'\bid="([^"]+)"', text)
    assert len(identifiers) == len(set(identifiers))
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)) - {""} <= {
        pair for name in identifiers for pair in ((name, ""), ("", name))
    }

    assert plot.read_bytes().startswith(b"\x89PNG")

    text = tables.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "| round trip of an int: busy | xichan |" in text
    assert re.findall(r"!\[.*?\]\((.*?)\)", text) == [f"images/fan-in-{version}.png"]
    assert (tmp_path / f"images/fan-in-{version}.png").read_bytes().startswith(b"\x89PNG")


def test_tables_go_into_a_file_with_marks_alone(tiny_run, tmp_path, capsys):
    page = tmp_path / "benchmarks.md"
    page.write_text("no marks")
    assert here("--from", tiny_run[0], "--markdown", page) == 2
    assert "has no line <!-- bench" in capsys.readouterr().err and page.read_text() == "no marks"


def test_compare_two_files(tiny_run, tmp_path, capsys):
    run = results.load(tiny_run[0])
    other = tmp_path / "other.json"
    rounds = run["scenarios"]["round-trip/busy"]["results"]
    rounds["xichan"] = [3 * max(rounds["xichan"])] * 2
    results.save(run, other)
    assert here("--compare", tiny_run[0], other) == 0
    printed = capsys.readouterr().out
    assert re.search(r"round-trip/busy +│ xichan +│.*│ slower", printed)
    assert len(re.findall(r"│ noise", printed)) > 5 and "faster" not in printed


def made_up(**medians):
    """A run of one scenario, of contenders with these values in each round."""
    rounds = {name.replace("_", "-"): [value * (1 + i / 100) for i in range(-2, 3)] for name, value in medians.items()}
    return {
        "contenders": {name: {"group": "xichan" if name == "xichan" else "other"} for name in rounds},
        "scenarios": {"one-way/int": {"unit": "rate", "baseline": "interpreters-queue", "results": rounds}},
    }


@pytest.mark.parametrize(
    "after, verdict",
    [
        ({"xichan": 1.02, "interpreters_queue": 10}, "noise"),
        ({"xichan": 1.3, "interpreters_queue": 10}, "slower"),
        ({"xichan": 0.7, "interpreters_queue": 10.1}, "faster"),
        ({"xichan": 1.3, "interpreters_queue": 12.9}, "the machine"),
        ({"xichan": 1.9, "interpreters_queue": 12}, "slower"),
        ({"xichan": 1.3, "interpreters_queue": 8}, "slower"),
    ],
)
def test_a_change_is_told_from_noise_and_from_the_machine(after, verdict):
    found = compare.changes(made_up(xichan=1, interpreters_queue=10), made_up(**after))
    assert {change.contender: change.verdict for change in found}["xichan"] == verdict


def peer_file(folder, name, put):
    """A contender like queue.SimpleQueue between threads, with a `put` of its own."""
    file = folder / f"{name}.py"
    file.write_text(
        textwrap.dedent(f"""
            import queue, time
            from xichan.bench.peers import simple_queue

            class Contender(simple_queue.Contender):
                title = {name!r}

                def sender(self, sending):
                    def put(value):
                        {put}
                    return put
            """)
    )
    return file


BROKEN = {
    "wrong": ("sending.put(0.0)", "WRONG: sent int 123456789, received float 0.0"),
    "type": ("sending.put(float(value))", "WRONG: sent int 123456789, received float 123456789.0"),
    "raising": ("raise OSError('broken')", "OSError: broken"),
    "dying": ("__import__('os')._exit(3)", "FAILED: it ended"),
}


def test_contenders_that_fail_are_named_and_the_others_are_measured(tmp_path):
    files = {name: peer_file(tmp_path, name, put) for name, (put, _) in BROKEN.items()}
    out = tmp_path / "run.json"
    arguments = [part for file in files.values() for part in ("--peer", file)]
    done = bench("--scenario", "one-way/int", "--contender", "simple-queue", *arguments, "--json", out, *TINY, expect=1)
    record = results.load(out)["scenarios"]["one-way/int"]
    assert list(record["results"]) == ["simple-queue"]
    for name, (_, complaint) in BROKEN.items():
        assert complaint in record["unavailable"][str(files[name])]
        assert complaint in done.stderr


def test_a_contender_that_hangs_is_ended(tmp_path):
    file, out = peer_file(tmp_path, "hanging", "time.sleep(1000)"), tmp_path / "run.json"  # the hang itself
    arguments = ("--scenario", "one-way/int", "--contender", "memhive", "--peer", file, "--json", out, *TINY)
    bench(*arguments, "--patience", 2, expect=1)
    assert "it ended by its watchdog" in results.load(out)["scenarios"]["one-way/int"]["unavailable"][str(file)]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--scenario", "nothing"), "no scenario 'nothing'"),
        (("--contender", "nobody"), "no contender 'nobody'"),
        (("--rounds", "0"), "invalid positive int value: '0'"),
        (("--rounds", "two"), "invalid positive int value"),
        (("--seconds", "nan"), "invalid positive float value"),
        (("--peer", "/nowhere/peer.py"), "/nowhere/peer.py"),
        (("--from", "/nowhere/run.json"), "/nowhere/run.json"),
        (("--compare", __file__, __file__), "is no JSON"),
        (("--no-such-option",), "unrecognized arguments"),
    ],
)
def test_bad_arguments_are_told_in_a_line(arguments, message, capsys):
    assert here(*arguments) == 2
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said


def test_a_file_of_something_else_is_refused(tmp_path, capsys):
    (tmp_path / "other.json").write_text('{"format": 0}')
    assert here("--from", tmp_path / "other.json") == 2
    assert "is not a file that --json" in capsys.readouterr().err


@pytest.mark.parametrize("module, option", [("rich", ()), ("matplotlib", ("--plot", "x")), ("jinja2", ("--html", "x"))])
def test_without_the_extra_one_line_names_it(module, option, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, module, None)
    assert here("--scenario", "alone", *option) == f"xichan.bench needs {module}: pip install 'xichan[bench]'"
    assert here("--list") == 0
    assert "one-way/int" in capsys.readouterr().out


def test_interrupted_it_ends_with_what_it_has(tmp_path):
    out = tmp_path / "run.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "xichan.bench", "--scenario", "alone", "--scenario", "one-way/*"]
        + ["--contender", "simple-queue", "--rounds", "100000", "--seconds", "0.01", "--json", out],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    for line in process.stderr:
        if "alone" in line:
            break
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate()
    watchdog.cancel()
    watchdog.join()
    assert process.returncode == 130, said
    assert said.endswith("interrupted\n") and "Traceback" not in said
    assert "CPython" in printed and json.loads(out.read_text())["format"] == results.FORMAT


def test_values_are_the_same_only_with_type_and_bits():
    assert values.same((1, ("a", -0.0)), (1, ("a", -0.0)))
    for one, other in ((1, True), (1, 1.0), (0.0, -0.0), ("a", b"a"), ((1,), (1, 2)), ((1, (2,)), (1, (2.0,)))):
        assert not values.same(one, other)
    assert values.difference(values.make("record"), "record") is None
    assert "received list" in values.difference(list(values.RECORD), "record")


def test_targets_name_scenarios_and_contenders_that_exist():
    for version in ((3, 14), (3, 15)):
        for target in targets.targets(version):
            assert {target.contender, target.baseline} <= set(peers.names())
            assert scenarios.ALL[target.scenario].takes(peers.load(target.contender)), target
            base = scenarios.ALL[target.base_scenario or target.scenario]
            assert base.takes(peers.load(target.baseline)), target
