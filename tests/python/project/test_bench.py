"""python -m xichan.bench: the measured values are checked and the reports are consistent. No test depends on speed."""

import importlib.util
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
    cli,
    compare,
    contenders,
    results,
    scenarios,
)

TINY = ("--rounds", "2", "--seconds", "0.01", "--timeout", str(PATIENCE))


def bench(*arguments, expect=0):
    """Run the benchmarks in a separate process."""
    return run_python("-m", "xichan.bench", *arguments, timeout=120, expect=expect)


def run_cli(*arguments):
    """Run the command line in this process, for commands that do not measure; return the exit code."""
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as end:
        return end.code


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory):
    """Return (file of a very small run, finished process)."""
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


def test_remaining_workloads_produce_results(tmp_path):
    out = tmp_path / "run.json"
    tables = ("batch/ints", "select/8", "read/tuple", "pool/submit", "large/1m-shared", "round-trip/parked")
    tables += ("pool/new-worker", "pool/first-task", "interrupt/idle-p50", "interrupt/busy-p99")
    contenders = ("xichan", "xichan-views", "xichan-pool", "interpreters-create", "mp-pipe", "simple-queue")
    bench(
        *(part for name in tables for part in ("--scenario", name)),
        *(part for name in contenders for part in ("--contender", name)),
        *("--rounds", "1", "--seconds", "0.01", "--timeout", str(PATIENCE)),
        *("--json", out),
    )
    run = results.load(out)
    assert {name: set(run["scenarios"][name]["results"]) for name in tables} == {
        "batch/ints": {"xichan", "mp-pipe", "simple-queue"},
        "select/8": {"xichan", "mp-pipe"},
        "read/tuple": {"xichan", "xichan-views"},
        "pool/submit": {"xichan-pool"},
        "pool/new-worker": {"xichan-pool", "interpreters-create"},
        "pool/first-task": {"xichan-pool", "interpreters-create"},
        "interrupt/idle-p50": {"xichan-pool"},
        "interrupt/busy-p99": {"xichan-pool"},
        "large/1m-shared": {"xichan", "xichan-views", "mp-pipe", "simple-queue"},
        "round-trip/parked": {"xichan", "mp-pipe", "simple-queue"},
    }
    assert run["scenarios"]["select/8"]["unavailable"] == {"simple-queue": "cannot wait for several at once"}


def test_containers_are_verified_and_measured(tmp_path):
    out = tmp_path / "run.json"
    chosen = ("values/dict20", "values/dataclass", "values/dbrow", "values/numpy8m", "lookup/*")
    contenders = ("xichan", "xichan-views", "xichan-pickle", "xichan-threads", "interpreters-queue", "mp-pipe")
    bench(
        *(part for name in chosen for part in ("--scenario", name)),
        *(part for name in contenders for part in ("--contender", name)),
        *("--rounds", "1", "--seconds", "0.01", "--timeout", str(PATIENCE)),
        *("--json", out),
    )
    run = results.load(out)["scenarios"]
    for name in ("values/dict20", "values/dataclass", "values/dbrow"):
        assert set(run[name]["results"]) == {"xichan", "xichan-pickle", "interpreters-queue", "mp-pipe"}, run[name]
    for name in ("lookup/dict100k", "lookup/list100k", "lookup/record1m"):
        assert set(run[name]["results"]) == {"xichan", "xichan-views"}, run[name]
    array = run["values/numpy8m"]
    if importlib.util.find_spec("numpy") is None:
        assert all(reason.startswith("numpy cannot be imported: ") for reason in array["unavailable"].values())
    assert set(array["results"]) | set(array["unavailable"]) == {"xichan-threads", "mp-pipe"}


def test_shared_state_is_verified_and_measured(tmp_path):
    out = tmp_path / "run.json"
    bench(
        *("--scenario", "state", "--scenario", "mixed-95/2", "--scenario", "mixed-50/1"),
        *("--rounds", "1", "--seconds", "0.01", "--timeout", str(PATIENCE)),
        *("--json", out),
    )
    run = results.load(out)["scenarios"]
    all_four = {"xichan-state", "dict-lock", "manager-dict", "sqlite-memory"}
    both = {"xichan-state", "dict-lock"}
    assert {name: set(record["results"]) for name, record in run.items()} == {
        "state/atomic_add": both,
        "state/cell_get": both,
        "state/map_get_int": all_four,
        "state/map_get_str": both,
        "mixed-95/2": all_four,
        "mixed-50/1": all_four,
    }
    assert all(record["baseline"] == "dict-lock" and not record["unavailable"] for record in run.values())


STATE_CONTENDER = """
from xichan.bench.contenders import dict_lock

class Broken(dict_lock.DictLock):
    statements = dict_lock.DictLock.statements | {changed!r}
"""


def test_wrong_state_is_reported(tmp_path):
    changes = {"add": "got = 1", "get": "got = 1.0", "write": "with lock: table[key] = value + 16"}
    complaints = {"add": "expected ", "get": "expected 123456789, got 1.0", "write": "key "}
    out = tmp_path / "run.json"
    for name, statement in changes.items():
        file = tmp_path / f"{name}.py"
        file.write_text(STATE_CONTENDER.format(changed={name: statement}))
        chosen = ("state/atomic_add", "state/cell_get", "mixed-50/1")
        arguments = [part for one in chosen for part in ("--scenario", one)]
        bench(*arguments, "--contender", "dict-lock", "--contender-file", file, "--json", out, *TINY, expect=1)
        run = results.load(out)["scenarios"]
        wrong = {one: record["unavailable"] for one, record in run.items() if record["unavailable"]}
        (scenario,) = wrong
        assert scenario == dict(zip(changes, chosen, strict=True))[name]
        assert wrong[scenario][str(file)].startswith(f"WRONG: {complaints[name]}")


def test_plot_of_a_run_without_figures_fails(tiny_run, tmp_path, capsys):
    run = results.load(tiny_run[0])
    for record in run["scenarios"].values():
        record["results"] = {}
    results.save(run, tmp_path / "run.json")
    assert run_cli("--from", tmp_path / "run.json", "--plot", tmp_path / "plot.png") == 2
    assert "nothing to plot" in capsys.readouterr().err


def test_list_shows_scenarios_contenders_and_missing(capsys):
    assert run_cli("--list") == 0
    printed = capsys.readouterr().out
    for name in (*scenarios.ALL, *contenders.names()):
        assert re.search(rf"^ +(\* )?{re.escape(name)} ", printed, re.M), name
    assert re.search(r"memhive .*missing: its only release", printed)


def test_file_holds_figures_and_environment(tiny_run):
    run = results.load(tiny_run[0])
    assert set(run["scenarios"]) == {"one-way/record", "round-trip/busy", "fan-in/1", "fan-in/2", "memory/int"}
    record = run["scenarios"]["one-way/record"]
    assert set(record["results"]) == {"xichan", "interpreters-queue"}
    assert all(len(rounds) == 2 and min(rounds) > 0 for rounds in record["results"].values())
    assert record["lower_bound"] > 0
    about = run["environment"]
    assert about["python"] == sys.version.split()[0] and about["cpus"] >= 1 and about["cpu"]
    assert {"load_before", "load_after", "commit", "xichan"} <= set(about)
    assert {"call", "ring", "ring trip", "create:record"} <= set(run["lower_bound"])


def test_unavailable_contender_is_reported_with_reason(tiny_run):
    file, done = tiny_run
    run = results.load(file)
    assert "memhive" in run["missing"] and "missing: memhive: its only release" in done.stdout
    assert run["scenarios"]["fan-in/2"]["unavailable"]["xichan-spsc"] == "has one sender and one receiver"
    assert "xichan-spsc: has one sender and one receiver" in done.stdout


def test_progress_is_plain_lines_without_a_terminal(tiny_run):
    done = tiny_run[1]
    assert "\x1b" not in done.stdout + done.stderr
    assert re.search(r"^\[1/\d+\] one-way/record$", done.stderr, re.M)


def test_tables_show_ratios_and_lower_bounds(tiny_run):
    printed = tiny_run[1].stdout
    assert re.search(r"concurrent\.interpreters\.Queue │ [^\n]*│ +1x │ +│", printed)
    assert re.search(r"│ xichan +│ [^\n]*[\d.,]+x │ +[\d.,]+x │", printed)
    assert "lower bounds" in printed and "targets" not in printed and "not measured" not in printed


def test_reports_are_self_contained(tiny_run, tmp_path):
    version = ".".join(sys.version.split(".")[:2])
    page, plot, tables = tmp_path / "report.html", tmp_path / "plot.png", tmp_path / "benchmarks.md"
    tables.write_text(f"before\n<!-- bench {version} -->\nold\n<!-- end of bench {version} -->\nafter\n")
    assert run_cli("--from", tiny_run[0], "--html", page, "--plot", plot, "--markdown", tables) == 0

    text = page.read_text()
    assert not re.search(r"https?://|<script|<link|@import|<iframe|\bsrc=", text)  # one file that loads no other
    assert text.count("<svg") == 1  # fan-in; the others are bars
    assert re.search(
        "messages, tasks or operations per second, (logarithmic|linear) axis; longer is better", text
    )  # by the figures' range
    assert "microseconds per round trip, task or call" in text and "bytes per message" in text
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


def test_markdown_requires_marks(tiny_run, tmp_path, capsys):
    page = tmp_path / "benchmarks.md"
    page.write_text("no marks")
    assert run_cli("--from", tiny_run[0], "--markdown", page) == 2
    assert "expected a line <!-- bench" in capsys.readouterr().err and page.read_text() == "no marks"


def test_compare_shows_the_slower_scenario(tiny_run, tmp_path, capsys):
    run = results.load(tiny_run[0])
    other = tmp_path / "other.json"
    rounds = run["scenarios"]["round-trip/busy"]["results"]
    rounds["xichan"] = [3 * max(rounds["xichan"])] * 2
    results.save(run, other)
    assert run_cli("--compare", tiny_run[0], other) == 0
    printed = capsys.readouterr().out
    assert re.search(r"round-trip/busy +│ xichan +│.*│ slower", printed)
    assert len(re.findall(r"│ noise", printed)) > 5 and "faster" not in printed


def fake_run(**medians):
    """Return a run of one scenario with these medians of contenders."""
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
def test_compare_separates_changes_from_noise_and_machine(after, verdict):
    found = compare.changes(fake_run(xichan=1, interpreters_queue=10), fake_run(**after))
    assert {change.contender: change.verdict for change in found}["xichan"] == verdict


def contender_file(folder, name, put):
    """Write a contender file: queue.SimpleQueue between threads, with this statement as `put`."""
    file = folder / f"{name}.py"
    file.write_text(
        textwrap.dedent(f"""
            import queue, time
            from xichan.bench.contenders import simple_queue

            class Broken(simple_queue.SimpleQueue):
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
    "dying": ("__import__('os')._exit(3)", "FAILED: process exited"),
}


def test_failing_contenders_are_reported_and_others_measured(tmp_path):
    files = {name: contender_file(tmp_path, name, put) for name, (put, _) in BROKEN.items()}
    out = tmp_path / "run.json"
    arguments = [part for file in files.values() for part in ("--contender-file", file)]
    done = bench("--scenario", "one-way/int", "--contender", "simple-queue", *arguments, "--json", out, *TINY, expect=1)
    record = results.load(out)["scenarios"]["one-way/int"]
    assert list(record["results"]) == ["simple-queue"]
    for name, (_, complaint) in BROKEN.items():
        assert complaint in record["unavailable"][str(files[name])]
        assert complaint in done.stderr


def test_hanging_contender_is_killed(tmp_path):
    file, out = contender_file(tmp_path, "hanging", "time.sleep(1000)"), tmp_path / "run.json"  # the hang itself
    arguments = ("--scenario", "one-way/int", "--contender", "memhive", "--contender-file", file, "--json", out, *TINY)
    bench(*arguments, "--timeout", 2, expect=1)
    assert "process exited by its watchdog" in results.load(out)["scenarios"]["one-way/int"]["unavailable"][str(file)]


@pytest.mark.parametrize("classes, found", [((), "none"), (("First", "Second"), "First, Second")])
def test_contender_file_must_define_one_contender(classes, found, tmp_path, capsys):
    file = tmp_path / "contender.py"
    definitions = [f"class {name}(Contender):\n    title = {name!r}\n" for name in classes]
    file.write_text("from xichan.bench.contenders import Contender\n" + "".join(definitions))
    assert run_cli("--list", "--contender-file", file) == 2
    assert f"{file}: expected exactly one subclass of Contender, found {found}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--scenario", "nothing"), "no scenario matches 'nothing'"),
        (("--contender", "unknown"), "no contender is named 'unknown'"),
        (("--rounds", "0"), "invalid positive int value: '0'"),
        (("--rounds", "two"), "invalid positive int value"),
        (("--seconds", "nan"), "invalid positive float value"),
        (("--contender-file", "/nowhere/contender.py"), "/nowhere/contender.py"),
        (("--from", "/nowhere/run.json"), "/nowhere/run.json"),
        (("--compare", __file__, __file__), "is not JSON"),
        (("--no-such-option",), "unrecognized arguments"),
    ],
)
def test_bad_arguments_give_a_one_line_error(arguments, message, capsys):
    assert run_cli(*arguments) == 2
    errors = capsys.readouterr().err
    assert message in errors and "Traceback" not in errors


def test_file_of_another_format_is_rejected(tmp_path, capsys):
    (tmp_path / "other.json").write_text('{"format": 0}')
    assert run_cli("--from", tmp_path / "other.json") == 2
    assert "as written by --json" in capsys.readouterr().err


@pytest.mark.parametrize("module, option", [("rich", ()), ("matplotlib", ("--plot", "x")), ("jinja2", ("--html", "x"))])
def test_missing_extra_gives_a_one_line_error(module, option, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, module, None)
    message = f"xichan.bench needs {module}: pip install 'xichan[bench]'"
    assert run_cli("--scenario", "single-thread", *option) == message
    assert run_cli("--list") == 0
    assert "one-way/int" in capsys.readouterr().out


def test_interrupt_keeps_the_figures_so_far(tmp_path):
    out = tmp_path / "run.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "xichan.bench", "--scenario", "single-thread", "--scenario", "one-way/*"]
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
        if "single-thread" in line:
            break
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate()
    watchdog.cancel()
    watchdog.join()
    assert process.returncode == 130, errors
    assert errors.endswith("interrupted\n") and "Traceback" not in errors
    assert "CPython" in printed and json.loads(out.read_text())["format"] == results.FORMAT
